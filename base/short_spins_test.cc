#include "base/short_spins.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "base/cores.h"

namespace base {
namespace {

TEST(SpinRuleTest, SpinsAreShortFromAQuarterOnUntilTwoCalmSeconds) {
  SpinRule rule;
  EXPECT_FALSE(rule.IsShort(0));
  EXPECT_FALSE(rule.IsShort(0.2));
  EXPECT_TRUE(rule.IsShort(0.3));
  EXPECT_TRUE(rule.IsShort(0.15));  // neither busy nor calm
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(rule.IsShort(0.05));
  EXPECT_TRUE(rule.IsShort(0.15));  // the calm seconds begin again
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(rule.IsShort(0.05));
  EXPECT_FALSE(rule.IsShort(0.05));
  EXPECT_FALSE(rule.IsShort(0.2));
}

// The calling thread.
void PinToFirstCore() {
  cpu_set_t allowed;
  ASSERT_EQ(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
  int first = 0;
  while (!CPU_ISSET(first, &allowed)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
}

TEST(CoresTest, AreThoseThatTheThreadMayRunOn) {
  EXPECT_GE(Cores(), 1);
  const std::string all = CoresId();
  EXPECT_EQ(CoresId(), all);
  std::thread([&] {
    const bool several = Cores() > 1;
    PinToFirstCore();
    EXPECT_EQ(Cores(), 1);
    EXPECT_EQ(CoresId() != all, several);
  }).join();
}

// Threads that want one core wait for it in turn.
class Crowd {
 public:
  Crowd() {
    for (int i = 0; i < 3; ++i) {
      threads_.emplace_back([this] {
        PinToFirstCore();
        while (!ended_) {
        }
      });
    }
  }
  ~Crowd() {
    ended_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> ended_ = false;
  std::vector<std::thread> threads_;
};

int64_t Threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

bool Becomes(const ShortSpins& spins, bool expected) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(40);
  while (std::chrono::steady_clock::now() < end) {
    if (spins.AreShort() == expected) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

class ShortSpinsTest : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("OMP_WAIT_POLICY");
    unsetenv("GOMP_SPINCOUNT");
  }
};

TEST_F(ShortSpinsTest, SpinsAreShortWhileThreadsWaitForCores) {
  const ShortSpins spins;
  EXPECT_FALSE(spins.AreShort());
  {
    const Crowd crowd;
    const int64_t before = Threads();
    EXPECT_TRUE(Becomes(spins, true));
    std::this_thread::sleep_for(std::chrono::seconds(1));
    EXPECT_EQ(Threads(), before + Cores());  // the team that sleeps
  }
  EXPECT_TRUE(Becomes(spins, false));
}

TEST_F(ShortSpinsTest, EndsWhileSpinsAreShort) {
  const Crowd crowd;
  const ShortSpins spins;
  EXPECT_TRUE(Becomes(spins, true));
}

TEST_F(ShortSpinsTest, TheUsersPolicyStays) {
  setenv("OMP_WAIT_POLICY", "active", 1);
  const Crowd crowd;
  const ShortSpins spins;
  std::this_thread::sleep_for(std::chrono::seconds(2));
  EXPECT_FALSE(spins.AreShort());
}

}  // namespace
}  // namespace base
