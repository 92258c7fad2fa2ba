// Writes features that resemble an encoder's, for benchmarks: OUT.npy, and OUT.csv beside it.
//
//   bazel run //benchmarks:make_features -- OUT.npy --images=512000
//
// Classes have different sizes and centres. Within a class, images vary along 32 directions that
// all classes share, along each one less than along the one before, so that ten of them account for
// most of the variance; some classes are denser than others. One image in a hundred is a near
// duplicate. The same flags give the same bytes.
#include <gflags/gflags.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/exit_code.h"
#include "base/files.h"
#include "base/flags.h"
#include "base/rng.h"
#include "tensors/npy.h"

DEFINE_int64(images, 512'000, "number of images (rows)");
DEFINE_int64(dim, 512, "length of a feature vector (columns)");
DEFINE_int64(classes, 800, "number of classes");
DEFINE_bool(half, true, "write float16 instead of float32");

namespace {

constexpr int kDirections = 32;
constexpr int64_t kBlock = 4096;  // rows that are written at a time

class Normals {  // by the Box-Muller transform
 public:
  Normals(uint64_t kind, uint64_t index) : rng_(0, base::Purpose::kTest, kind, index) {}
  float Next() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2 * std::log(1 - rng_.Uniform()));
    const double angle = 2 * M_PI * rng_.Uniform();
    spare_ = static_cast<float>(radius * std::sin(angle));
    has_spare_ = true;
    return static_cast<float>(radius * std::cos(angle));
  }
  void Fill(std::vector<float>& values) {
    for (float& value : values) value = Next();
  }
  base::Rng& rng() { return rng_; }

 private:
  base::Rng rng_;
  float spare_ = 0;
  bool has_spare_ = false;
};

enum Kind : uint64_t { kCentres, kBasis, kRow, kRepeated };

class Rows {
 public:
  Rows() : centres_(FLAGS_classes * FLAGS_dim), basis_(kDirections * FLAGS_dim) {
    Normals(kCentres, 0).Fill(centres_);
    Normals(kBasis, 0).Fill(basis_);
  }

  void Make(int64_t row, float* out) const {
    Normals noise(kRepeated, row);
    const bool repeated = row > 0 && noise.rng().Bernoulli(0.01);
    if (repeated) {
      MakeOwn(noise.rng().UniformInt(0, row - 1), out);
    } else {
      MakeOwn(row, out);
    }
    for (int64_t d = 0; repeated && d < FLAGS_dim; ++d) out[d] += 0.02f * noise.Next();
  }

 private:
  void MakeOwn(int64_t row, float* out) const {
    Normals normals(kRow, row);
    // The square makes the first classes the largest.
    const double u = normals.rng().Uniform();
    const int64_t of = static_cast<int64_t>(u * u * FLAGS_classes);
    const float spread = 0.1f + 0.3f * static_cast<float>(of % 10) / 10;
    for (int64_t d = 0; d < FLAGS_dim; ++d) {
      out[d] = centres_[of * FLAGS_dim + d] + 0.05f * normals.Next();
    }
    for (int b = 0; b < kDirections; ++b) {
      const float step = spread * normals.Next() / std::sqrt(b + 1.0f);
      for (int64_t d = 0; d < FLAGS_dim; ++d) out[d] += step * basis_[b * FLAGS_dim + d];
    }
  }

  std::vector<float> centres_, basis_;
};

absl::Status Make(int argc, char** argv) {
  const auto line = base::ParseCommandLine(argc, argv, /*aliases=*/{});
  if (!line.ok()) return line.status();
  if (line->positional.size() != 1) return absl::InvalidArgumentError("give the file: OUT.npy");
  for (const auto& [flag, value] : {std::tuple<const char*, double>{"images", FLAGS_images},
                                    {"dim", FLAGS_dim},
                                    {"classes", FLAGS_classes}}) {
    if (absl::Status s = base::CheckFlag(flag, value, 1, 1e9); !s.ok()) return s;
  }
  const std::filesystem::path path = base::UserPath(line->positional[0]);
  auto file = tensors::NpyWriter::Open(
      path, FLAGS_half ? tensors::NpyType::kFloat16 : tensors::NpyType::kFloat32, FLAGS_dim, 0);
  if (!file.ok()) return file.status();
  const Rows rows;
  std::string names = "file\n";
  std::vector<float> block(kBlock * FLAGS_dim);
  for (int64_t from = 0; from < FLAGS_images; from += kBlock) {
    const int64_t count = std::min(kBlock, FLAGS_images - from);
    for (int64_t i = 0; i < count; ++i) {
      rows.Make(from + i, block.data() + i * FLAGS_dim);
      absl::StrAppend(&names, from + i, ".png\n");
    }
    if (absl::Status s = (*file)->Append(block.data(), count); !s.ok()) return s;
  }
  if (absl::Status s = (*file)->Sync(); !s.ok()) return s;
  return base::WriteFileAtomically(std::filesystem::path(path).replace_extension(".csv"), names);
}

}  // namespace

int main(int argc, char** argv) { return base::RunMain(Make, argc, argv); }
