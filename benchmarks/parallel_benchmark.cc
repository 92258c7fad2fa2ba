// How many times as fast the loops of kNN and of selections are with several threads as with one:
//
//   OMP_WAIT_POLICY=passive bazel run //benchmarks:parallel_benchmark -- --threads=2
//
// Both take turns in one process. Each loop is run by the function that users call, on sizes at
// which the loop, and not a matrix product, takes most of the time. Two ratios are printed: of wall
// time, which holds on an idle machine, and of the CPU time of the thread that was busiest, which
// holds on a busy one too, as long as threads that wait do not spin (hence OMP_WAIT_POLICY).
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/exit_code.h"
#include "base/flags.h"
#include "base/rng.h"
#include "lincls/tables/feature_table.h"
#include "moco/measures/feature_rows.h"
#include "moco/measures/knn.h"
#include "tensors/memory.h"
#include "tensors/npy.h"
#include "tools/selection/k_means.h"
#include "tools/selection/neighbours.h"
#include "tools/selection/rows.h"
#include "tools/selection/strategy.h"

DEFINE_int64(threads, 2, "threads to compare with one");
DEFINE_int64(turns, 7, "pairs of a run with one thread and a run with --threads");

namespace {

at::Tensor Random(int64_t rows, int64_t columns, uint64_t seed) {
  return at::randn({rows, columns}, at::detail::createCPUGenerator(seed),
                   at::TensorOptions(at::kFloat));
}

// Points around `centres` directions.
at::Tensor Clustered(int64_t rows, int64_t columns, int64_t centres) {
  const at::Tensor of = at::arange(rows, at::kLong).remainder(centres);
  return Random(centres, columns, 1).index_select(0, of) + 0.3 * Random(rows, columns, 2);
}

// Features in a file of float16, which is deleted when the process ends.
absl::StatusOr<lincls::FeatureTable> Table(const at::Tensor& features) {
  const std::string path =
      std::filesystem::temp_directory_path() / absl::StrCat("parallel_benchmark.", getpid());
  auto file = tensors::NpyWriter::Open(path, tensors::NpyType::kFloat16, features.size(1), 0);
  if (!file.ok()) return file.status();
  absl::Status s = (*file)->Append(features.const_data_ptr<float>(), features.size(0));
  if (s.ok()) s = (*file)->Sync();
  if (!s.ok()) return s;
  auto matrix = tensors::NpyMatrix::Open(path);  // mapped: it stays readable
  std::filesystem::remove(path);
  if (!matrix.ok()) return matrix.status();
  lincls::FeatureTable table{.features = *std::move(matrix)};
  for (int64_t i = 0; i < features.size(0); ++i) table.files.push_back(absl::StrCat(i));
  return table;
}

// Nanoseconds of CPU time that each thread of the process has used.
std::map<std::string, int64_t> ThreadTimes() {
  std::map<std::string, int64_t> times;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream(task.path() / "schedstat") >> times[task.path().filename()];
  }
  return times;
}

struct Cost {
  double wall = 0, busiest = 0;  // seconds
};

Cost CostOf(int64_t threads, const std::function<void()>& work) {
  at::set_num_threads(static_cast<int>(threads));
  const auto before = ThreadTimes();
  const auto start = std::chrono::steady_clock::now();
  work();
  Cost cost;
  cost.wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (const auto& [thread, time] : ThreadTimes()) {
    const auto was = before.find(thread);
    const int64_t used = time - (was == before.end() ? 0 : was->second);
    cost.busiest = std::max(cost.busiest, 1e-9 * static_cast<double>(used));
  }
  return cost;
}

std::string Spread(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  char text[64];
  std::snprintf(text, sizeof text, "%5.2f (%.2f to %.2f)", values[values.size() / 2],
                values.front(), values.back());
  return text;
}

void Measure(const char* name, const std::function<void()>& work) {
  CostOf(FLAGS_threads, work);  // starts threads, and has files in memory
  std::vector<double> wall, busiest;
  double one = 0;
  for (int64_t turn = 0; turn < FLAGS_turns; ++turn) {
    const Cost a = CostOf(1, work), b = CostOf(FLAGS_threads, work);
    wall.push_back(a.wall / b.wall);
    busiest.push_back(a.busiest / b.busiest);
    one += a.busiest / static_cast<double>(FLAGS_turns);
  }
  std::printf("%-32s %-24s %-24s %.2f s\n", name, Spread(wall).c_str(), Spread(busiest).c_str(),
              one);
  std::fflush(stdout);
}

absl::Status Run(int argc, char** argv) {
  if (auto line = base::ParseCommandLine(argc, argv, {}); !line.ok()) return line.status();
  for (const auto& [flag, value] :
       {std::pair<const char*, int64_t>{"threads", FLAGS_threads}, {"turns", FLAGS_turns}}) {
    if (absl::Status s = base::CheckFlag(flag, value, 1, 1000); !s.ok()) return s;
  }
  const at::NoGradGuard no_grad;
  std::printf("times as fast with %lld threads as with one; median (least to most) of %lld turns\n",
              static_cast<long long>(FLAGS_threads), static_cast<long long>(FLAGS_turns));
  std::printf("%-32s %-24s %-24s %s\n", "", "wall time", "busiest thread", "one thread takes");

  {
    constexpr int64_t kClasses = 1000, kBank = 400, kQueries = 8192;
    const auto labels = [](int64_t n) {
      return at::randint(kClasses, {n}, at::detail::createCPUGenerator(3),
                         at::TensorOptions(at::kLong));
    };
    const moco::LabelledRows bank{moco::InMemory(Random(kBank, 8, 4)), labels(kBank)};
    const moco::LabelledRows queries{moco::InMemory(Random(kQueries, 8, 5)), labels(kQueries)};
    const moco::KnnGrid grid{kClasses, {1, 5, 20, 200}, {0.05, 0.07, 0.1, 0.2, 0.5}};
    Measure("kNN: votes",
            [&] { moco::KnnAccuracies(bank, queries, grid, [](int64_t /*done*/) {}); });
  }
  {
    const moco::FeatureRows bank = moco::InMemory(Random(200'000, 8, 4));
    const moco::FeatureRows queries = moco::InMemory(Random(2048, 8, 5));
    Measure("kNN: top-k", [&] {
      moco::FindExactNeighbours(bank, queries, 200, /*leave_one_out=*/false,
                                [](int64_t, const moco::Neighbours&) {});
    });
  }
  {
    const auto table = Table(Random(65'536, 512, 6));
    if (!table.ok()) return table.status();
    const moco::FeatureRows rows{table->size(), table->features.columns(),
                                 [&](const int64_t* index, int64_t count, float* out) {
                                   for (int64_t i = 0; i < count; ++i) {
                                     table->features.Read(index[i], 1, out + i * 512);
                                   }
                                 }};
    Measure("float16 rows to float32", [&] {
      for (int64_t from = 0; from < rows.size; from += 4096) rows.Rows(from, 4096);
    });
  }
  const auto table = Table(Clustered(65'536, 32, 64));
  if (!table.ok()) return table.status();
  const auto rows = selection::Rows::Open(*table);
  if (!rows.ok()) return rows.status();
  const selection::Clusters lists = selection::SphericalKMeans(*rows, 64, /*seed=*/0);
  const std::vector<bool> labelled(rows->size());
  for (const int64_t k : {0, 20}) {
    selection::NeighbourOptions options;
    options.k = k;
    options.duplicates = 0.9;
    Measure(k == 0 ? "selection: near duplicates" : "selection: neighbours", [&] {
      selection::FindApproximateNeighbours(*rows, lists, labelled, options, [](double) {});
    });
  }
  {
    const auto wide = Table(Clustered(65'536, 512, 64));  // as wide as a ResNet-18's features
    if (!wide.ok()) return wide.status();
    const auto wide_rows = selection::Rows::Open(*wide);
    if (!wide_rows.ok()) return wide_rows.status();
    selection::Pool pool{.rows = *wide_rows};
    for (int64_t row = 0; row < wide_rows->size(); ++row) pool.candidates.push_back(row);
    const auto k_center = selection::Strategies().Create("k_center");
    if (!k_center.ok()) return k_center.status();
    Measure("selection: k-center", [&] {
      base::Rng rng(0, base::Purpose::kTest);
      (*k_center)->Choose(pool, 1024, rng);
    });
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  tensors::KeepFreedMemory();
  return base::RunMain(Run, argc, argv);
}
