#include "tools/doctor/look.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <new>
#include <opencv2/core.hpp>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/progress.h"
#include "base/work.h"
#include "data/codec.h"
#include "data/decode_options.h"

namespace doctor {
namespace {

// Sums over images, as whole numbers of kUnits, so that the order of the images changes nothing.
// Each image counts alike, whatever its size, as in a run, whose views all have one size.
struct Sums {
  static constexpr double kUnits = 1LL << 36;  // in 1, the largest value
  std::array<int64_t, data::kMaxChannels> values = {}, squares = {};
  int64_t images = 0;
  uint64_t pixel_bytes = 0, file_bytes = 0;
  double largest_of_16_bits = 0;
  int channels = 0;

  // `bits`: of a stored channel.
  void Add(const cv::Mat& image, int bits) {
    cv::Mat mean, deviation;
    cv::meanStdDev(image, mean, deviation);
    const double largest = image.depth() == CV_8U ? 255 : 1;
    channels = image.channels();
    ++images;
    pixel_bytes += image.total() * image.elemSize();
    if (bits == 16 && image.depth() == CV_32F) {
      double most;
      cv::minMaxLoc(image.reshape(1), nullptr, &most);
      largest_of_16_bits = std::max(largest_of_16_bits, most);
    }
    for (int c = 0; c < channels; ++c) {
      const double m = mean.at<double>(c) / largest, d = deviation.at<double>(c) / largest;
      values[c] += std::llround(m * kUnits);
      squares[c] += std::llround((d * d + m * m) * kUnits);
    }
  }

  void Add(const Sums& other) {
    for (int c = 0; c < data::kMaxChannels; ++c) {
      values[c] += other.values[c];
      squares[c] += other.squares[c];
    }
    images += other.images;
    pixel_bytes += other.pixel_bytes;
    file_bytes += other.file_bytes;
    largest_of_16_bits = std::max(largest_of_16_bits, other.largest_of_16_bits);
    channels = std::max(channels, other.channels);
  }
};

bool IsGrey(const Fingerprint& fingerprint) {
  constexpr int kLevels = 2;  // by which JPEG may differ
  const auto& t = fingerprint.thumbnail;
  for (size_t i = 0; i < t.size(); i += 3) {
    const auto [low, high] = std::minmax({t[i], t[i + 1], t[i + 2]});
    if (high - low > kLevels) return false;
  }
  return true;
}

// What the threads share.
class Looker {
 public:
  Looker(const data::Dataset& dataset, int64_t count) : dataset_(dataset), count_(count) {}

  // Ends early, and has the other threads end, if memory is short.
  void Work() {
    const auto stop = [&](const absl::Status& why) {
      std::lock_guard<std::mutex> lock(mutex_);
      status_.Update(why);
      next_ = count_;
    };
    try {
      if (absl::Status s = LookAtSome(); !s.ok()) stop(s);
    } catch (const std::bad_alloc&) {
      stop(absl::ResourceExhaustedError(
          "out of memory while images were looked at; use fewer --threads"));
    } catch (const std::exception& e) {
      stop(absl::InternalError(e.what()));
    }
  }

  int64_t done() const { return done_; }

  // When all threads have ended.
  absl::StatusOr<Look> Finish() {
    if (!status_.ok()) return status_;
    look_.size = dataset_.size();
    look_.looked_at = count_;
    const auto by_index = [](const auto& a, const auto& b) { return a.index < b.index; };
    std::sort(look_.images.begin(), look_.images.end(), by_index);
    std::sort(look_.unreadable.begin(), look_.unreadable.end(), by_index);
    SortKinds();
    look_.file_bytes = sums_.file_bytes;
    look_.pixel_bytes = sums_.pixel_bytes;
    look_.largest_of_16_bits = sums_.largest_of_16_bits;
    const double n = std::max<double>(sums_.images, 1) * Sums::kUnits;
    for (int c = 0; c < sums_.channels; ++c) {
      const double mean = sums_.values[c] / n;
      look_.mean.push_back(mean);
      look_.deviation.push_back(std::sqrt(std::max(0.0, sums_.squares[c] / n - mean * mean)));
    }
    return std::move(look_);
  }

 private:
  absl::Status LookAtSome() {
    Sums sums;
    std::vector<SeenImage> seen;
    std::vector<UnreadableImage> unreadable;
    for (int64_t i = next_++; i < count_; i = next_++) {
      const int64_t index = i * dataset_.size() / count_;
      const auto image = data::ReadImageAt(dataset_, index);
      if (image.ok()) {
        SeenImage one;
        const Kind kind = HeaderOf(index, one, sums);
        one.kind = NumberOf(kind);
        one.rows = image->rows;
        one.cols = image->cols;
        one.fingerprint = FingerprintOf(*image);
        one.grey = IsGrey(one.fingerprint);
        seen.push_back(one);
        sums.Add(*image, kind.bits);
      } else if (absl::IsResourceExhausted(image.status())) {
        return image.status();
      } else {
        unreadable.push_back({index, std::string(image.status().message())});
      }
      ++done_;
    }
    std::lock_guard<std::mutex> lock(mutex_);
    sums_.Add(sums);
    look_.images.insert(look_.images.end(), seen.begin(), seen.end());
    look_.unreadable.insert(look_.unreadable.end(), unreadable.begin(), unreadable.end());
    return absl::OkStatus();
  }

  // What the image's file states. The file is read a second time, now from the system's memory.
  Kind HeaderOf(int64_t index, SeenImage& image, Sums& sums) const {
    image.index = static_cast<uint32_t>(index);
    Kind kind;
    const auto bytes = dataset_.File(index);
    if (!bytes.ok()) return kind;
    sums.file_bytes += bytes->size();
    kind.format = data::CodecName(*bytes);
    const data::Codec* codec = data::FindCodec(*bytes);
    if (codec == nullptr) return kind;
    if (const auto encoded = codec->Open(*bytes); encoded.ok()) {
      const data::StoredPixels stored = (*encoded)->stored();
      kind.mode = stored.mode;
      kind.bits = stored.bits;
      image.orientation = static_cast<uint8_t>((*encoded)->orientation());
    }
    return kind;
  }

  uint16_t NumberOf(const Kind& kind) {
    std::lock_guard<std::mutex> lock(kinds_mutex_);
    const auto [place, is_new] = kinds_.emplace(kind, static_cast<uint16_t>(look_.kinds.size()));
    if (is_new) look_.kinds.push_back(kind);
    return place->second;
  }

  // Threads meet kinds in any order.
  void SortKinds() {
    std::vector<Kind> sorted;
    std::vector<uint16_t> places(look_.kinds.size());
    for (const auto& [key, place] : kinds_) {
      places[place] = static_cast<uint16_t>(sorted.size());
      sorted.push_back(look_.kinds[place]);
    }
    look_.kinds = std::move(sorted);
    for (SeenImage& image : look_.images) image.kind = places[image.kind];
  }

  const data::Dataset& dataset_;
  const int64_t count_;
  std::atomic<int64_t> next_ = 0, done_ = 0;
  std::mutex mutex_;  // of the next four
  absl::Status status_;
  Sums sums_;
  Look look_;
  std::mutex kinds_mutex_;  // of the next and look_.kinds
  std::map<Kind, uint16_t> kinds_;
};

}  // namespace

absl::StatusOr<Look> LookAt(const data::Dataset& dataset, const LookOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const int64_t count =
      options.sample == 0 ? dataset.size() : std::min(options.sample, dataset.size());
  Looker looker(dataset, count);
  std::mutex mutex;
  std::condition_variable ended;
  int running = 0;  // guarded by mutex
  std::vector<std::thread> workers;
  std::string why;
  try {
    for (int t = 0; t < options.threads; ++t) {
      {
        std::lock_guard<std::mutex> lock(mutex);
        ++running;
      }
      workers.emplace_back([&] {
        looker.Work();
        std::lock_guard<std::mutex> lock(mutex);
        --running;
        ended.notify_one();
      });
    }
  } catch (const std::system_error& e) {
    why = e.what();
    std::lock_guard<std::mutex> lock(mutex);
    --running;  // those that were started do all of the work
  }
  {
    base::Progress progress;
    base::Work work(progress, absl::StrCat("looking at ", options.what), count, "images");
    std::unique_lock<std::mutex> lock(mutex);
    while (!ended.wait_for(lock, std::chrono::milliseconds(500), [&] { return running == 0; })) {
      work.Done(looker.done());
    }
  }
  for (std::thread& worker : workers) worker.join();
  if (workers.empty()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot start a thread: ", why, "; use fewer --threads"));
  }
  auto look = looker.Finish();
  if (look.ok()) look->seconds = base::SecondsSince(start);
  return look;
}

}  // namespace doctor
