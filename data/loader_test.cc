// Batches are a function of (seed, step), whoever makes them and wherever a run goes on.
#include "data/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <numeric>
#include <opencv2/core.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace data {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int kRows = 2, kCols = 3, kFloats = kRows * kCols * 3;

// Image i is one pixel that says i; those in `bad` are damaged.
class Numbers : public Dataset {
 public:
  explicit Numbers(int64_t size, std::set<int64_t> bad = {}) : size_(size), bad_(std::move(bad)) {}

  int64_t size() const override { return size_; }
  absl::StatusOr<cv::Mat> Image(int64_t index) const override {
    ++reads;
    if (bad_.count(index) > 0) {
      return absl::DataLossError(absl::StrCat("'", Name(index), "' is empty"));
    }
    return cv::Mat(1, 1, CV_8UC3, cv::Scalar(index % 256, index / 256, 0));
  }
  std::string Name(int64_t index) const override { return absl::StrCat(index, ".png"); }
  int Label(int64_t index) const override { return static_cast<int>(index % 10); }
  const std::vector<std::string>& classes() const override { return classes_; }

  mutable std::atomic<int64_t> reads = 0;

 private:
  const int64_t size_;
  const std::set<int64_t> bad_;
  const std::vector<std::string> classes_;
};

int64_t NumberOf(const cv::Mat& image) { return image.ptr()[0] + 256 * image.ptr()[1]; }

// The number of the image, then random numbers.
cv::Mat View(const cv::Mat& image, base::Rng& rng) {
  cv::Mat view(kRows, kCols, CV_32FC3);
  float* const out = view.ptr<float>();
  out[0] = static_cast<float>(NumberOf(image));
  for (int i = 1; i < kFloats; ++i) out[i] = static_cast<float>(rng.Uniform());
  return view;
}

LoaderOptions Options(int threads, int64_t last_step = 25) {
  LoaderOptions options;
  options.batch_size = 20;
  options.rows = kRows;
  options.cols = kCols;
  options.views = {View, View};
  options.seed = 5;
  options.threads = threads;
  options.last_step = last_step;
  return options;
}

// A batch that stays.
struct Copy {
  int64_t step, epoch;
  std::vector<int64_t> samples;
  std::vector<int> labels;
  std::vector<std::vector<float>> views;
  bool operator==(const Copy&) const = default;
};

std::vector<Copy> BatchesOf(const Dataset& dataset, const LoaderOptions& options,
                            std::vector<BadImage>* bad = nullptr) {
  auto loader = Loader::Create(dataset, options).value();
  std::vector<Copy> copies;
  for (;;) {
    const auto next = loader->Next();
    if (absl::IsOutOfRange(next.status())) break;
    EXPECT_TRUE(next.ok()) << next.status();
    if (!next.ok()) break;
    const Batch& b = **next;
    Copy copy{b.step, b.epoch, b.samples, b.labels, {}};
    EXPECT_THAT(b.samples, SizeIs(b.size));
    EXPECT_THAT(b.labels, SizeIs(b.size));
    for (const cv::Mat& view : b.views) {
      EXPECT_EQ(view.empty() ? CV_32FC3 : view.type(), CV_32FC3);
      const float* const values = view.ptr<float>();
      copy.views.emplace_back(values, values + b.size * kFloats);
    }
    copies.push_back(std::move(copy));
  }
  if (bad != nullptr) *bad = loader->bad_images();
  return copies;
}

TEST(LoaderTest, BatchesHoldWhatTheySay) {
  const Numbers numbers(110);
  const std::vector<Copy> batches = BatchesOf(numbers, Options(2));
  ASSERT_THAT(batches, SizeIs(25));
  std::set<float> random;
  for (int64_t step = 0; step < 25; ++step) {
    const Copy& b = batches[step];
    EXPECT_EQ(b.step, step);
    EXPECT_EQ(b.epoch, step / 5);
    const std::vector<int64_t> order = EpochOrder(110, 5, b.epoch);
    ASSERT_THAT(b.samples, SizeIs(20));
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(b.samples[i], order[step % 5 * 20 + i]);
      EXPECT_EQ(b.labels[i], b.samples[i] % 10);
      for (const auto& view : b.views) {
        EXPECT_EQ(view[i * kFloats], b.samples[i]);
        random.insert(view[i * kFloats + 1]);
      }
    }
  }
  EXPECT_THAT(random, SizeIs(25 * 20 * 2)) << "views share random numbers";
  EXPECT_EQ(numbers.reads, 25 * 20) << "an image is read once for both views";
}

TEST(LoaderTest, ThreadsChangeNothing) {
  const Numbers numbers(110, {3, 50, 51, 109});
  LoaderOptions options = Options(0);
  options.max_bad_images = 4;
  const std::vector<Copy> expected = BatchesOf(numbers, options);
  for (const int threads : {1, 2, 8}) {
    for (const int ahead : {1, 3}) {
      options.threads = threads;
      options.batches_ahead = ahead;
      EXPECT_EQ(BatchesOf(numbers, options), expected)
          << threads << " threads, " << ahead << " ahead";
    }
  }
}

// Image i is a view of the byte i, or, if i is in `wide`, of the float i / 255.
cv::Mat OfEitherKind(const cv::Mat& image, const std::set<int64_t>& wide) {
  const int64_t number = NumberOf(image);
  if (wide.count(number) == 0) return {kRows, kCols, CV_8UC3, cv::Scalar::all(number)};
  return {kRows, kCols, CV_32FC3, cv::Scalar::all(static_cast<float>(number) / 255.0f)};
}

TEST(LoaderTest, ABatchIsOfBytesUnlessAnImageIsWider) {
  const Numbers numbers(100);
  const std::set<int64_t> wide = {7, 50};
  LoaderOptions options = Options(2, 10);
  options.drop_last = false;
  int allocations = 0;
  std::mutex mutex;
  options.allocate = [&](size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex);
    ++allocations;
    return std::shared_ptr<void>(std::malloc(bytes), &std::free);
  };
  options.views = {[&](const cv::Mat& image, base::Rng&) { return OfEitherKind(image, wide); },
                   [&](const cv::Mat& image, base::Rng&) { return OfEitherKind(image, {}); }};
  const auto loader = Loader::Create(numbers, options).value();
  int of_floats = 0;
  for (int step = 0; step < 10; ++step) {
    const Batch& batch = **loader->Next();
    const bool floats = std::any_of(batch.samples.begin(), batch.samples.end(),
                                    [&](int64_t sample) { return wide.count(sample) > 0; });
    of_floats += floats;
    ASSERT_EQ(batch.views[0].type(), floats ? CV_32FC3 : CV_8UC3);
    ASSERT_EQ(batch.views[1].type(), CV_8UC3);
    for (int i = 0; i < batch.size; ++i) {
      const int64_t sample = batch.samples[i];
      for (const cv::Mat& view : batch.views) {
        ASSERT_EQ(view.rows, batch.size * kRows);
        ASSERT_TRUE(view.isContinuous());
        const cv::Mat row = view.rowRange(i * kRows, (i + 1) * kRows);
        for (int j = 0; j < kFloats; ++j) {
          if (view.depth() == CV_8U) {
            EXPECT_EQ(row.ptr()[j], sample);
          } else {
            EXPECT_EQ(row.ptr<float>()[j], static_cast<float>(sample) / 255.0f);
          }
        }
      }
    }
  }
  EXPECT_GE(of_floats, 2);
  EXPECT_GT(allocations, 6);  // the bytes of 3 batches, and floats
}

TEST(LoaderTest, SeedsAndEpochsDiffer) {
  const Numbers numbers(100);
  LoaderOptions options = Options(0, 10);
  const std::vector<Copy> batches = BatchesOf(numbers, options);
  EXPECT_EQ(BatchesOf(numbers, options), batches);
  EXPECT_NE(batches[0].samples, batches[5].samples);
  options.seed = 6;
  EXPECT_NE(BatchesOf(numbers, options)[0].samples, batches[0].samples);

  std::vector<int64_t> order = EpochOrder(100, 5, 0);
  EXPECT_EQ(order, EpochOrder(100, 5, 0));
  EXPECT_NE(order, EpochOrder(100, 5, 1));
  EXPECT_NE(order, EpochOrder(100, 6, 0));
  std::sort(order.begin(), order.end());
  std::vector<int64_t> all(100);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(order, all);
}

TEST(LoaderTest, ARunGoesOnAnywhere) {
  const Numbers numbers(110, {7, 70});
  LoaderOptions options = Options(2, 12);
  options.max_bad_images = 2;
  const std::vector<Copy> all = BatchesOf(numbers, options);
  for (int64_t first = 0; first <= 12; ++first) {
    options.first_step = first;
    EXPECT_EQ(BatchesOf(numbers, options), std::vector<Copy>(all.begin() + first, all.end()));
  }
}

// Rows of all of them, dealt in turn, are what one process has; 20 rows and 3 of the last batch.
TEST(LoaderTest, ProcessesShareABatch) {
  const Numbers numbers(103);
  LoaderOptions options = Options(0, 12);
  options.drop_last = false;
  const std::vector<Copy> whole = BatchesOf(numbers, options);
  for (const int64_t ranks : {2, 3, 4, 5}) {
    options.ranks = ranks;
    options.threads = ranks % 2 == 0 ? 0 : 2;
    // With one batch ahead, the threads are behind when a batch without rows has been passed.
    options.batches_ahead = ranks == 5 ? 1 : 3;
    for (options.rank = 0; options.rank < ranks; ++options.rank) {
      const std::vector<Copy> own = BatchesOf(numbers, options);
      ASSERT_THAT(own, SizeIs(whole.size()));
      for (size_t step = 0; step < whole.size(); ++step) {
        Copy expected{whole[step].step, whole[step].epoch, {}, {}, {{}, {}}};
        for (size_t row = options.rank; row < whole[step].samples.size(); row += ranks) {
          expected.samples.push_back(whole[step].samples[row]);
          expected.labels.push_back(whole[step].labels[row]);
          for (size_t v = 0; v < 2; ++v) {
            const float* values = whole[step].views[v].data() + row * kFloats;
            expected.views[v].insert(expected.views[v].end(), values, values + kFloats);
          }
        }
        EXPECT_EQ(own[step], expected) << "rank " << options.rank << " of " << ranks;
      }
    }
  }
}

TEST(LoaderTest, TheSecondViewMayBeOfOtherRows) {
  const Numbers numbers(100, {7, 50});
  LoaderOptions options = Options(2, 7);
  options.max_bad_images = 10;
  const std::vector<Copy> plain = BatchesOf(numbers, options);
  options.second_view_order = [&](int64_t step) {
    return base::Rng(step, base::Purpose::kTest).Permutation(options.batch_size);
  };
  options.ranks = 2;
  for (options.rank = 0; options.rank < 2; ++options.rank) {
    const std::vector<Copy> dealt = BatchesOf(numbers, options);
    for (size_t step = 0; step < plain.size(); ++step) {
      const std::vector<int64_t> order = options.second_view_order(step);
      for (size_t i = 0; i < dealt[step].samples.size(); ++i) {
        const auto row = [&](const Copy& copy, size_t v, size_t r) {
          const float* values = copy.views[v].data() + r * kFloats;
          return std::vector<float>(values, values + kFloats);
        };
        const size_t whole = options.rank + 2 * i;
        EXPECT_EQ(row(dealt[step], 0, i), row(plain[step], 0, whole));
        EXPECT_EQ(row(dealt[step], 1, i), row(plain[step], 1, order[whole]));
      }
    }
  }
}

TEST(LoaderTest, WithoutShuffleTheOrderIsTheDatasets) {
  LoaderOptions options = Options(2, 4);
  options.shuffle = false;
  options.drop_last = false;
  const std::vector<Copy> batches = BatchesOf(Numbers(50), options);
  ASSERT_THAT(batches, SizeIs(4));
  int64_t expected = 0;
  for (int step = 0; step < 3; ++step) {
    EXPECT_THAT(batches[step].samples, SizeIs(step < 2 ? 20 : 10));
    for (int64_t sample : batches[step].samples) EXPECT_EQ(sample, expected++);
  }
  EXPECT_EQ(batches[3].epoch, 1);
  EXPECT_EQ(batches[3].samples, batches[0].samples);
  EXPECT_NE(batches[3].views, batches[0].views);
}

TEST(LoaderTest, StepsOfAnEpoch) {
  const Numbers numbers(50);
  LoaderOptions options = Options(0);
  EXPECT_EQ(Loader::Create(numbers, options).value()->steps_per_epoch(), 2);
  options.drop_last = false;
  EXPECT_EQ(Loader::Create(numbers, options).value()->steps_per_epoch(), 3);
  options.batch_size = 64;
  EXPECT_THAT(BatchesOf(numbers, options)[0].samples, SizeIs(50));
}

TEST(LoaderTest, BatchesThatCannotBeFilledNameTheFlag) {
  for (const int64_t batch_size : {0, -1, 51}) {
    LoaderOptions options = Options(0);
    options.batch_size = batch_size;
    EXPECT_EQ(std::string(Loader::Create(Numbers(50), options).status().message()),
              absl::StrCat("a batch of ", batch_size,
                           " cannot be filled from 50 images; set --batch-size to 1 to 50"));
  }
  LoaderOptions options = Options(0);
  options.batch_size = 16;
  EXPECT_EQ(std::string(Loader::Create(Numbers(1), options).status().message()),
            "a batch of 16 cannot be filled from 1 image; set --batch-size to 1");
}

// --- Damaged images ---

TEST(LoaderTest, DamagedImagesGiveTheirPlaceToOthersAndAreListedOnce) {
  const std::set<int64_t> damaged = {3, 50, 51, 109};
  const Numbers numbers(120, damaged);
  LoaderOptions options = Options(0);
  options.max_bad_images = 4;
  std::vector<BadImage> bad, again;
  const std::vector<Copy> batches = BatchesOf(numbers, options, &bad);
  for (const Copy& b : batches) {
    const std::vector<int64_t> order = EpochOrder(120, 5, b.epoch);
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(damaged.count(b.samples[i]), 0u);
      EXPECT_EQ(b.views[0][i * kFloats], b.samples[i]) << "a substitute brings its own picture";
      EXPECT_EQ(b.labels[i], b.samples[i] % 10) << "and its own label";
      const int64_t meant = order[b.step % 6 * 20 + i];
      EXPECT_TRUE(b.samples[i] == meant || damaged.count(meant) > 0);
    }
  }
  std::set<int64_t> listed;
  for (const BadImage& image : bad) {
    EXPECT_TRUE(listed.insert(image.index).second) << "listed twice";
    EXPECT_EQ(image.name, absl::StrCat(image.index, ".png"));
    EXPECT_EQ(image.why, absl::StrCat("'", image.index, ".png' is empty"));
  }
  EXPECT_EQ(listed, damaged);

  options.threads = 8;
  BatchesOf(numbers, options, &again);
  ASSERT_THAT(again, SizeIs(4));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(again[i].index, bad[i].index) << "in the order of batches";
}

TEST(LoaderTest, TooManyDamagedImagesStop) {
  const Numbers numbers(60, {3, 50});
  for (const int threads : {0, 2}) {
    LoaderOptions options = Options(threads);
    options.max_bad_images = 1;
    auto loader = Loader::Create(numbers, options).value();
    absl::Status status;
    while (status.ok()) status = loader->Next().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    ASSERT_THAT(loader->bad_images(), SizeIs(2));
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("2 images"), HasSubstr(loader->bad_images()[1].why),
                      HasSubstr("--max-bad-images")));
    EXPECT_EQ(loader->Next().status(), status) << "asking again does not help";
  }
}

TEST(LoaderTest, WhenNothingCanBeReadItEnds) {
  std::set<int64_t> all;
  for (int i = 0; i < 50; ++i) all.insert(i);
  const Numbers numbers(50, all);
  for (const int threads : {0, 1, 8}) {
    LoaderOptions options = Options(threads);
    options.max_bad_images = 1000;
    const auto loader = Loader::Create(numbers, options).value();
    const absl::Status status = loader->Next().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("none of "), HasSubstr(".png' is empty")));
  }
}

TEST(LoaderTest, ExceptionsBecomeErrors) {
  const Numbers numbers(50);
  for (const int threads : {0, 2}) {
    LoaderOptions options = Options(threads);
    options.views[1] = [](const cv::Mat&, base::Rng&) -> cv::Mat {
      throw std::runtime_error("why");
    };
    const auto loader = Loader::Create(numbers, options);
    EXPECT_EQ((*loader)->Next().status(), absl::InternalError("the loader failed: why"));
  }
}

// --- Memory ---

// Every image is decoded by `decode`.
class Decoded : public Numbers {
 public:
  explicit Decoded(std::function<absl::StatusOr<cv::Mat>()> decode)
      : Numbers(50), decode_(std::move(decode)) {}
  absl::StatusOr<cv::Mat> Image(int64_t) const override { return decode_(); }

 private:
  const std::function<absl::StatusOr<cv::Mat>()> decode_;
};

cv::Mat NoMemoryInOpenCv() {
  cv::error(cv::Error::StsNoMem, "Failed to allocate", "OutOfMemoryError", "alloc.cpp", 1);
}

// The images are whole: none is replaced, and the run ends as one that lacks memory.
TEST(LoaderTest, MissingMemoryIsNoDamageOfTheImage) {
  using Result = absl::StatusOr<cv::Mat>;
  const std::function<Result()> decoders[] = {
      []() -> Result { throw std::bad_alloc(); }, []() -> Result { return NoMemoryInOpenCv(); },
      []() -> Result { return absl::ResourceExhaustedError("out of memory"); }};
  for (const auto& decode : decoders) {
    const Decoded images(decode);
    for (const int threads : {0, 2}) {
      LoaderOptions options = Options(threads);
      options.max_bad_images = 1000;
      const auto loader = Loader::Create(images, options).value();
      const absl::Status status = loader->Next().status();
      EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
      EXPECT_THAT(loader->bad_images(), SizeIs(0));
    }
  }
}

TEST(LoaderTest, MissingMemoryForAView) {
  const Numbers numbers(50);
  const ViewFunction views[] = {
      [](const cv::Mat&, base::Rng&) -> cv::Mat { throw std::bad_alloc(); },
      [](const cv::Mat&, base::Rng&) -> cv::Mat { return NoMemoryInOpenCv(); }};
  for (const ViewFunction& view : views) {
    for (const int threads : {0, 2}) {
      LoaderOptions options = Options(threads);
      options.views[1] = view;
      const auto loader = Loader::Create(numbers, options).value();
      EXPECT_EQ(loader->Next().status().code(), absl::StatusCode::kResourceExhausted);
    }
  }
}

// What else an image throws is that image's fault.
TEST(LoaderTest, OtherExceptionsOfAnImageAreDamage) {
  const Decoded images([]() -> absl::StatusOr<cv::Mat> { throw std::runtime_error("why"); });
  const absl::Status status = ReadImageAt(images, 7).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("7.png"), HasSubstr("why")));
}

// --- Threads ---

// Ends with code 0 if a loader of more threads than there is memory for is refused as it should be.
[[noreturn]] void StartTooManyThreads() {
  const Numbers numbers(50);
  int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit limit;
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = pages * sysconf(_SC_PAGESIZE) + (64 << 20);  // stacks of a few threads
  if (setrlimit(RLIMIT_AS, &limit) != 0) std::exit(1);
  const absl::Status status = Loader::Create(numbers, Options(1000)).status();
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(absl::IsResourceExhausted(status) ? 0 : 1);
}

// In a process of its own, because of the limit.
TEST(LoaderDeathTest, ThreadsThatCannotBeStartedAreAnError) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(StartTooManyThreads(), testing::ExitedWithCode(0), "--workers");
}

TEST(LoaderTest, EndsInTheMiddle) {
  const Numbers numbers(1000);
  for (int taken = 0; taken < 30; ++taken) {
    const auto loader = Loader::Create(numbers, Options(1 + taken % 4, 1000)).value();
    for (int i = 0; i < taken; ++i) ASSERT_TRUE(loader->Next().ok());
  }
}

// No more batches are made than the ring holds, and none before there is room.
TEST(LoaderTest, WorksAheadAsFarAsTheRingGoes) {
  const Numbers numbers(1000);
  const auto loader = Loader::Create(numbers, Options(2, 1000)).value();
  const auto settle = [&](int64_t reads) {
    for (int i = 0; i < 1000 && numbers.reads < reads; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return numbers.reads.load();
  };
  EXPECT_EQ(settle(3 * 20), 3 * 20);
  ASSERT_TRUE(loader->Next().ok());
  EXPECT_EQ(settle(3 * 20), 3 * 20) << "the batch that was handed out was written over";
  ASSERT_TRUE(loader->Next().ok());
  EXPECT_EQ(settle(4 * 20), 4 * 20);
}

TEST(LoaderTest, WithoutThreadsTheCallerWorksOnce) {
  const Numbers numbers(100);
  const auto loader = Loader::Create(numbers, Options(0)).value();
  EXPECT_EQ(numbers.reads, 0);
  for (int step = 1; step <= 7; ++step) {
    ASSERT_TRUE(loader->Next().ok());
    EXPECT_EQ(numbers.reads, 20 * step);
  }
  EXPECT_GT(loader->seconds_waited(), 0);
}

}  // namespace
}  // namespace data
