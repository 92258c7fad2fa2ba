// Keeps the threads of a computation from spinning while other threads want their cores.
//
// OpenMP's threads wait for each other at the end of each loop. GCC's library lets them spin for
// some milliseconds first, which is fastest as long as each has a core of its own. When another
// program keeps a core busy, the thread that is waited for often has to wait for a core itself, and
// the others spin on the core that it could have: with two cores, a step of training took three
// times as long. With hardly any spinning (OMP_WAIT_POLICY=passive) it takes less than twice as
// long, but a fifth longer on a quiet machine. benchmarks/README.md has the measurements.
#ifndef BASE_SHORT_SPINS_H_
#define BASE_SHORT_SPINS_H_

#include <condition_variable>
#include <mutex>
#include <thread>

namespace base {

// Decides from the time that threads wait for a core.
class SpinRule {
 public:
  // `waiting`: seconds in which threads of this process were ready to run and had no core, summed
  // over all threads, per second of the last half second. Returns whether spins should be short in
  // the next half second: from a quarter on, and until it was below a tenth for two seconds.
  bool IsShort(double waiting);

 private:
  bool short_ = false;
  int calm_ = 0;  // intervals in a row
};

// While an object lives, it keeps spins short when and only when other threads want the cores. It
// changes no result. If OMP_WAIT_POLICY or GOMP_SPINCOUNT is set, the user has decided, and the
// object does nothing; neither does it on systems without /proc. A program needs one object.
class ShortSpins {
 public:
  ShortSpins();
  ~ShortSpins();

  bool AreShort() const;

 private:
  void Watch();
  void Set(bool on);
  void Hold();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false, short_ = false;
  std::thread watch_, hold_;
};

}  // namespace base

#endif  // BASE_SHORT_SPINS_H_
