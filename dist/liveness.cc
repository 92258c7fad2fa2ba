#include "dist/liveness.h"

#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace dist {
namespace {

// A rank without a heartbeat for kSilence is lost. All ranks together end within 2 s of noticing a
// failure.
constexpr std::chrono::milliseconds kBeatInterval{150}, kSilence{1000};

constexpr char kExitReason[] = "exit_reason";
constexpr char kAcknowledged[] = "acknowledged";  // by how many ranks
constexpr char kLost[] = "lost: killed, stopped or disconnected";

struct Reason {
  int64_t ranks;  // that are alive to read it
  std::string text;
};

// Waits for it.
Reason ReadReason(c10d::Store& store) {
  const std::string value = GetText(store, kExitReason);
  const size_t space = value.find(' ');
  return {std::strtoll(value.c_str(), nullptr, 10), value.substr(space + 1)};
}

void PublishLostRanks(c10d::Store& store, const GroupOptions& options) {
  const auto beats = [&](int64_t rank) { return store.add(RankKey("beat", rank), 0); };
  std::vector<int64_t> before, silent;
  for (int64_t rank = 0; rank < options.size; ++rank) before.push_back(beats(rank));
  std::this_thread::sleep_for(kSilence);
  for (int64_t rank = 0; rank < options.size; ++rank) {
    if (rank != options.rank && beats(rank) == before[rank]) silent.push_back(rank);
  }
  const std::string reason =
      silent.empty()
          ? absl::StrCat("all ranks are alive, but one kept the others waiting for more than ",
                         options.timeout, " s; if it needs that long, raise --dist-timeout")
          : absl::StrCat("rank ", absl::StrJoin(silent, ", "), " of ", options.size, " is ", kLost);
  PublishReason(store, options.size - static_cast<int64_t>(silent.size()), reason);
}

}  // namespace

Heartbeat::Heartbeat(StorePtr store, int64_t rank)
    : store_(std::move(store)), thread_([this, key = RankKey("beat", rank)] { Run(key); }) {}

Heartbeat::~Heartbeat() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Heartbeat::Run(const std::string& key) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stop_) {
    lock.unlock();
    try {
      store_->add(key, 1);
    } catch (const std::exception&) {  // the run's own operations report it
      return;
    }
    lock.lock();
    wake_.wait_for(lock, kBeatInterval, [&] { return stop_; });
  }
}

void PublishReason(c10d::Store& store, int64_t ranks, const std::string& reason) {
  const std::string value = absl::StrCat(ranks, " ", reason);
  store.compareSet(kExitReason, {}, std::vector<uint8_t>(value.begin(), value.end()));
}

std::string LearnReason(c10d::Store& store, const GroupOptions& options) {
  if (!store.check({kExitReason})) PublishLostRanks(store, options);
  std::string reason = ReadReason(store).text;
  Acknowledge(store);
  return reason;
}

void Acknowledge(c10d::Store& store) { store.add(kAcknowledged, 1); }

bool AllAcknowledged(c10d::Store& store) {
  return store.add(kAcknowledged, 0) >= ReadReason(store).ranks;
}

std::string AskStore(int64_t size, std::function<std::string()> ask) {
  auto answer = std::make_shared<std::promise<std::string>>();
  std::future<std::string> future = answer->get_future();
  const std::string lost = absl::StrCat("rank 0 of ", size, ", which serves the store, is ", kLost);
  std::thread([answer, ask = std::move(ask), lost] {
    try {
      answer->set_value(ask());
    } catch (const std::exception&) {
      answer->set_value(lost);
    }
  }).detach();
  return future.wait_for(kDiagnosisTime) == std::future_status::ready ? future.get() : lost;
}

}  // namespace dist
