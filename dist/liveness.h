// Which ranks are alive, and why a run has ended: what a rank learns from the store when an
// exchange with the others fails.
#ifndef DIST_LIVENESS_H_
#define DIST_LIVENESS_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "dist/rendezvous.h"
#include "dist/store.h"

namespace dist {

// Reports every 150 ms, on a thread and through a connection of its own, that this rank is alive.
class Heartbeat {
 public:
  Heartbeat(StorePtr store, int64_t rank);
  ~Heartbeat();

 private:
  void Run(const std::string& key);

  const StorePtr store_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

// Publishes why the run ends, for `ranks` ranks to read. The first reason stays: the rank that
// noticed first may itself look lost to those that ask after its end.
void PublishReason(c10d::Store& store, int64_t ranks, const std::string& reason);

// The published reason. If there is none, finds the ranks without a heartbeat and publishes that
// they are lost. Acknowledges it; takes about a second.
std::string LearnReason(c10d::Store& store, const GroupOptions& options);

// Says that this rank knows the reason.
void Acknowledge(c10d::Store& store);

// Whether all ranks that are alive have acknowledged the published reason.
bool AllAcknowledged(c10d::Store& store);

// The result of `ask`, which reads the store, in a bounded time: when the store does not answer,
// the text that rank 0, which serves it, is lost.
std::string AskStore(int64_t size, std::function<std::string()> ask);

}  // namespace dist

#endif  // DIST_LIVENESS_H_
