#include "data/loader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <new>
#include <opencv2/core.hpp>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace data {
namespace {

constexpr int64_t kChunk = 8;         // samples that a thread takes at a time
constexpr int kMaxSubstitutes = 100;  // images tried in place of one sample

// Memory of one view of a batch, allocated when first needed.
struct ViewMemory {
  std::shared_ptr<void> bytes, floats;  // rows of 8 bits and of floats, each at its place
  std::vector<char> is_float;           // of each row: where it is
};

std::shared_ptr<void> OrdinaryMemory(size_t bytes) {
  void* const memory = std::aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (memory == nullptr) throw std::bad_alloc();
  return {memory, &std::free};
}

// A slot of the ring.
struct Slot {
  Batch batch;
  std::vector<ViewMemory> views;
  std::vector<std::vector<BadImage>> bad;  // found for each row
  std::vector<int64_t> second_view_order;  // of the whole batch; empty: both views in one order

  // Guarded by the loader's mutex. The rest belongs to the thread that fills a sample, and then to
  // the one that calls Next().
  int64_t unfilled = 0;  // samples still missing
  absl::Status failure;  // why a sample could not be made
};

class ThreadedLoader : public Loader {
 public:
  ThreadedLoader(const Dataset& dataset, LoaderOptions options)
      : dataset_(dataset),
        options_(std::move(options)),
        next_(options_.first_step),
        bad_ever_(options_.known_bad),
        fill_step_(options_.first_step),
        slots_(options_.threads == 0 ? 1 : options_.batches_ahead) {
    const int64_t rows = OwnRows(options_.batch_size);
    if (!options_.allocate) options_.allocate = OrdinaryMemory;
    for (Slot& slot : slots_) {
      slot.views.resize(options_.views.size());
      for (ViewMemory& view : slot.views) view.is_float.resize(rows);
      slot.batch.views.resize(options_.views.size());
      slot.batch.samples.resize(rows);
      slot.batch.labels.resize(rows);
      slot.bad.resize(rows);
    }
    for (size_t i = 0; i < slots_.size(); ++i) Prepare(options_.first_step + i);
  }

  // The destructor joins the threads that were started, even after an error.
  absl::Status Start() {
    try {
      for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { Work(); });
    } catch (const std::system_error& e) {
      return absl::ResourceExhaustedError(
          absl::StrCat("cannot start worker thread ", threads_.size() + 1, " of ", options_.threads,
                       ": ", e.what(), "; use fewer --workers"));
    }
    return absl::OkStatus();
  }

  ~ThreadedLoader() override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    work_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  int64_t steps_per_epoch() const override {
    return options_.drop_last ? dataset_.size() / options_.batch_size
                              : (dataset_.size() + options_.batch_size - 1) / options_.batch_size;
  }

  absl::StatusOr<const Batch*> Next() override {
    const auto began = std::chrono::steady_clock::now();
    if (handed_out_) {  // the last batch's slot is free
      Prepare(next_ - 1 + slots_.size());
      work_.notify_all();
    }
    handed_out_ = false;
    if (next_ >= options_.last_step) return absl::OutOfRangeError("there are no more batches");
    Slot& slot = SlotOf(next_);
    {
      std::unique_lock<std::mutex> lock(mutex_);
      // A batch without rows of this rank must be passed, too: its slot is used again afterwards,
      // and what a thread then took for this step would be the rows of a later one.
      while (slot.unfilled > 0 || fill_step_ <= next_) {
        if (threads_.empty()) {
          FillSome(lock);
        } else {
          filled_.wait(lock);
        }
      }
    }
    seconds_waited_ +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (absl::Status s = CountBadImages(slot); !s.ok()) return s;
    if (!slot.failure.ok()) return slot.failure;
    for (size_t v = 0; v < slot.views.size(); ++v) {
      slot.batch.views[v] = Whole(slot.views[v], slot.batch.size);
    }
    ++next_;
    handed_out_ = true;
    return &slot.batch;
  }

  const std::vector<BadImage>& bad_images() const override { return bad_images_; }
  double seconds_waited() const override { return seconds_waited_; }

 private:
  size_t ViewValues() const {
    return static_cast<size_t>(options_.rows) * options_.cols * options_.channels;
  }

  // Where row i of a view is, in its memory of bytes or floats.
  uint8_t* Place(ViewMemory& view, int64_t i, bool is_float) {
    const size_t bytes = ViewValues() * (is_float ? sizeof(float) : 1);
    std::shared_ptr<void>& memory = is_float ? view.floats : view.bytes;
    {
      std::lock_guard<std::mutex> lock(memory_mutex_);
      if (!memory) memory = options_.allocate(bytes * view.is_float.size());
    }
    return static_cast<uint8_t*>(memory.get()) + i * bytes;
  }

  // The first `size` rows of a view as one image. Rows of both kinds become floats.
  cv::Mat Whole(ViewMemory& view, int64_t size) {
    if (size == 0) return {};
    const auto end = view.is_float.begin() + size;
    const bool floats = std::find(view.is_float.begin(), end, true) != end;
    const size_t values = ViewValues();
    for (int64_t i = 0; floats && i < size; ++i) {
      if (view.is_float[i]) continue;
      const uint8_t* const from = Place(view, i, /*is_float=*/false);
      float* const to = reinterpret_cast<float*>(Place(view, i, /*is_float=*/true));
      for (size_t j = 0; j < values; ++j) to[j] = static_cast<float>(from[j]) / 255.0f;
    }
    return cv::Mat(static_cast<int>(size * options_.rows), options_.cols,
                   CV_MAKETYPE(floats ? CV_32F : CV_8U, options_.channels), Place(view, 0, floats));
  }

  // How many of a batch's rows this rank makes.
  int64_t OwnRows(int64_t batch) const {
    return (batch - options_.rank + options_.ranks - 1) / options_.ranks;
  }

  Slot& SlotOf(int64_t step) { return slots_[(step - options_.first_step) % slots_.size()]; }

  // Opens the slot of `step` for filling.
  void Prepare(int64_t step) {
    if (step >= options_.last_step) return;
    std::lock_guard<std::mutex> lock(mutex_);
    Slot& slot = SlotOf(step);
    slot.batch.step = step;
    slot.batch.epoch = step / steps_per_epoch();
    const int64_t from = step % steps_per_epoch() * options_.batch_size;
    slot.batch.size = OwnRows(std::min(options_.batch_size, dataset_.size() - from));
    slot.batch.samples.resize(slot.batch.size);
    slot.batch.labels.resize(slot.batch.size);
    slot.unfilled = slot.batch.size;
    if (options_.second_view_order) slot.second_view_order = options_.second_view_order(step);
    slot.failure = absl::OkStatus();
    for (std::vector<BadImage>& bad : slot.bad) bad.clear();
    prepared_ = step + 1;
  }

  // What each thread does until the loader is destroyed.
  void Work() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      work_.wait(lock, [&] { return stop_ || fill_step_ < prepared_; });
      if (stop_) return;
      FillSome(lock);
    }
  }

  // Takes the next few samples of the earliest step that is open, and fills them; unlocked
  // meanwhile.
  void FillSome(std::unique_lock<std::mutex>& lock) {
    const int64_t step = fill_step_, from = fill_from_;
    Slot& slot = SlotOf(step);
    const int64_t to = std::min(from + kChunk, slot.batch.size);
    fill_from_ = to;
    if (to == slot.batch.size) {
      ++fill_step_;
      fill_from_ = 0;
    }
    if (from < to) {  // otherwise Next() may use the slot as soon as the lock is given up
      lock.unlock();
      const absl::Status status = Fill(step, from, to);
      lock.lock();
      slot.failure.Update(status);
      slot.unfilled -= to - from;
    }
    if (slot.unfilled == 0) filled_.notify_one();
  }

  absl::Status Fill(int64_t step, int64_t from, int64_t to) {
    Slot& slot = SlotOf(step);
    try {
      const auto order = Order(slot.batch.epoch);
      const int64_t first = step % steps_per_epoch() * options_.batch_size;
      const auto sample = [&](int64_t row) { return order ? (*order)[first + row] : first + row; };
      for (int64_t i = from; i < to; ++i) {
        const int64_t row = options_.rank + i * options_.ranks;
        const bool same_rows = slot.second_view_order.empty();
        const size_t views = options_.views.size();
        absl::Status status = FillRow(slot, i, sample(row), 0, same_rows ? views : 1);
        if (status.ok() && !same_rows) {
          status = FillRow(slot, i, sample(slot.second_view_order[row]), 1, views);
        }
        if (!status.ok()) return status;
      }
    } catch (const std::bad_alloc&) {
      return OutOfMemory();
    } catch (const cv::Exception& e) {
      if (e.code == cv::Error::StsNoMem) return OutOfMemory();
      return absl::InternalError(absl::StrCat("the loader failed: ", e.what()));
    } catch (const std::exception& e) {
      return absl::InternalError(absl::StrCat("the loader failed: ", e.what()));
    }
    return absl::OkStatus();
  }

  static absl::Status OutOfMemory() {
    return absl::ResourceExhaustedError(
        "out of memory in the loader; use fewer --workers or a smaller --batch-size");
  }

  // Row i of the views from `first_view` to before `last_view`.
  absl::Status FillRow(Slot& slot, int64_t i, int64_t sample, size_t first_view, size_t last_view) {
    const int64_t epoch = slot.batch.epoch;
    const int64_t position = sample;  // substitutes and crops are drawn for this one
    base::Rng substitutes(options_.seed, base::Purpose::kSubstitute, epoch, position);
    auto image = ReadImageAt(dataset_, sample);
    while (!image.ok()) {
      if (absl::IsResourceExhausted(image.status()))
        return image.status();  // not the image's fault
      slot.bad[i].push_back({sample, dataset_.Name(sample), std::string(image.status().message())});
      if (slot.bad[i].size() > kMaxSubstitutes) {
        return absl::DataLossError(absl::StrCat(
            "none of ", kMaxSubstitutes,
            " images drawn one after the other can be read; the last: ", image.status().message()));
      }
      sample = substitutes.UniformInt(0, dataset_.size() - 1);
      image = ReadImageAt(dataset_, sample);
    }
    if (first_view == 0) {
      slot.batch.samples[i] = sample;
      slot.batch.labels[i] = dataset_.Label(sample);
    }
    for (size_t v = first_view; v < last_view; ++v) {
      base::Rng rng(options_.seed, base::Purpose::kView, epoch, position, v);
      const cv::Mat view = options_.views[v](*image, rng);
      const bool is_float = view.depth() == CV_32F;
      if (view.rows != options_.rows || view.cols != options_.cols ||
          view.channels() != options_.channels || (!is_float && view.depth() != CV_8U)) {
        return absl::InternalError("the loader failed: a view has another shape or type");
      }
      slot.views[v].is_float[i] = is_float;
      uint8_t* const place = Place(slot.views[v], i, is_float);
      if (view.isContinuous()) {
        std::memcpy(place, view.data, view.total() * view.elemSize());
      } else {
        view.copyTo(cv::Mat(view.rows, view.cols, view.type(), place));
      }
    }
    return absl::OkStatus();
  }

  // The epoch's order, made by the first thread that asks; null if the data set's order is kept.
  std::shared_ptr<const std::vector<int64_t>> Order(int64_t epoch) {
    if (!options_.shuffle) return nullptr;
    std::lock_guard<std::mutex> lock(order_mutex_);
    if (order_epoch_ != epoch) {
      // Threads at the end of an epoch may still hold the last one; going back and forth is rare.
      order_ = std::make_shared<const std::vector<int64_t>>(
          EpochOrder(dataset_.size(), options_.seed, epoch));
      order_epoch_ = epoch;
    }
    return order_;
  }

  absl::Status CountBadImages(const Slot& slot) {
    for (int64_t i = 0; i < slot.batch.size; ++i) {
      for (const BadImage& bad : slot.bad[i]) {
        if (bad_now_.insert(bad.index).second) bad_images_.push_back(bad);
        bad_ever_.insert(bad.index);
      }
    }
    if (bad_images_.empty() || static_cast<int64_t>(bad_ever_.size()) <= options_.max_bad_images) {
      return absl::OkStatus();
    }
    return absl::DataLossError(absl::StrCat(
        bad_ever_.size(), " images cannot be read, the last: ", bad_images_.back().why,
        "; repair or remove them, or raise --max-bad-images (", options_.max_bad_images, ")"));
  }

  const Dataset& dataset_;
  LoaderOptions options_;

  // Used by the thread that calls Next() alone.
  int64_t next_;  // the step that comes next
  bool handed_out_ = false;
  double seconds_waited_ = 0;
  std::vector<BadImage> bad_images_;
  std::set<int64_t> bad_now_, bad_ever_;  // indices of bad_images_, and with known_bad

  std::mutex memory_mutex_;  // guards the pointers of ViewMemory

  std::mutex mutex_;
  std::condition_variable work_, filled_;
  bool stop_ = false;
  int64_t prepared_ = 0;               // steps below are open
  int64_t fill_step_, fill_from_ = 0;  // the next sample that no thread has taken
  std::vector<Slot> slots_;

  std::mutex order_mutex_;
  int64_t order_epoch_ = -1;
  std::shared_ptr<const std::vector<int64_t>> order_;

  std::vector<std::thread> threads_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Loader>> Loader::Create(const Dataset& dataset,
                                                       LoaderOptions options) {
  if (options.batch_size < 1 || (options.drop_last && options.batch_size > dataset.size())) {
    return BatchCannotBeFilled(options.batch_size, dataset.size());
  }
  auto loader = std::make_unique<ThreadedLoader>(dataset, std::move(options));
  if (absl::Status s = loader->Start(); !s.ok()) return s;
  return loader;
}

absl::Status BatchCannotBeFilled(int64_t batch_size, int64_t images) {
  return absl::InvalidArgumentError(
      absl::StrCat("a batch of ", batch_size, " cannot be filled from ", images,
                   images == 1 ? " image; set --batch-size to 1"
                               : absl::StrCat(" images; set --batch-size to 1 to ", images)));
}

std::vector<int64_t> EpochOrder(int64_t size, uint64_t seed, int64_t epoch) {
  return base::Rng(seed, base::Purpose::kOrder, epoch).Permutation(size);
}

}  // namespace data
