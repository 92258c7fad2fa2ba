// That the fake device computes, and is as strict as it says.
#include "tests/device/fake_device.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <thread>

#include "moco/to_device.h"

namespace tests {
namespace {

using ::testing::HasSubstr;

at::Tensor Matrix() { return at::arange(6, at::kFloat).view({2, 3}); }

TEST(FakeDeviceTest, ComputesWhatTheCpuDoes) {
  const at::Tensor cpu = Matrix(), there = cpu.to(kFakeDevice);
  EXPECT_EQ(there.device(), kFakeDevice);
  EXPECT_TRUE((there * 2 + 1).cpu().equal(cpu * 2 + 1));
  EXPECT_TRUE(at::matmul(there, there.t()).cpu().equal(at::matmul(cpu, cpu.t())));
  EXPECT_TRUE(at::cat({there, there}).cpu().equal(at::cat({cpu, cpu})));
  EXPECT_EQ(there.sum().item<float>(), 15);
}

TEST(FakeDeviceTest, HasOthersBesideIt) {
  const at::Tensor second = Matrix().to(FakeDevice(1));
  EXPECT_EQ((second + 1).device(), FakeDevice(1));
  EXPECT_EQ(at::ones_like(second).device(), FakeDevice(1));
  EXPECT_TRUE(second.to(FakeDevice(2)).cpu().equal(Matrix()));
}

TEST(FakeDeviceTest, ViewsShareMemory) {
  const at::Tensor there = Matrix().to(kFakeDevice);
  there.t().select(0, 1).fill_(7);
  EXPECT_TRUE(there.cpu().equal(at::tensor({0.f, 7.f, 2.f, 3.f, 7.f, 5.f}).view({2, 3})));
}

TEST(FakeDeviceTest, GradientsComeFromAThreadOfItsOwn) {
  const at::Tensor x = Matrix().to(kFakeDevice).requires_grad_();
  std::thread::id thread;
  x.register_hook([&](const at::Tensor&) { thread = std::this_thread::get_id(); });
  (x * x).sum().backward();
  EXPECT_TRUE(x.grad().cpu().equal(2 * Matrix()));
  EXPECT_NE(thread, std::this_thread::get_id());
}

template <class Operation>
std::string Refusal(const Operation& operation) {
  try {
    operation();
  } catch (const c10::Error& e) {
    return e.what_without_backtrace();
  }
  return "done";
}

TEST(FakeDeviceTest, RefusesTensorsOfTwoDevices) {
  const at::Tensor cpu = Matrix(), there = cpu.to(kFakeDevice);
  EXPECT_THAT(Refusal([&] { there + cpu; }), HasSubstr("same device"));
  EXPECT_THAT(Refusal([&] {
                there.index_select(0, at::tensor({1, 0}));
              }),
              HasSubstr("same device"));
  EXPECT_THAT(Refusal([&] { at::matmul(there, cpu.t()); }), HasSubstr("same device"));
  EXPECT_THAT(Refusal([&] { there.equal(cpu); }), HasSubstr("same device"));
  EXPECT_THAT(Refusal([&] { at::cat({there, cpu}); }), HasSubstr("same device"));
  EXPECT_THAT(Refusal([&] { there + cpu.to(FakeDevice(1)); }), HasSubstr("same device"));
  // Single numbers may be the CPU's, but not where a kernel takes lists of them.
  EXPECT_EQ(Refusal([&] { there* at::full({}, 2.0); }), "done");
  EXPECT_THAT(Refusal([&] {
                at::_fused_adamw_({there}, {there}, {there}, {there}, {}, {at::ones({})}, 0.1, 0.9,
                                  0.9, 0, 1e-8, false, false);
              }),
              HasSubstr("same device"));
}

template <class Operation>
int64_t WaitsOf(const Operation& operation) {
  const int64_t before = Waits();
  operation();
  return Waits() - before;
}

TEST(FakeDeviceTest, CountsWhatAGpuWouldWaitFor) {
  const at::Tensor cpu = Matrix(), there = cpu.to(kFakeDevice);
  const at::Tensor pinned = moco::HostTensor({2, 3}, at::kFloat, kFakeDevice);
  pinned.copy_(cpu);
  EXPECT_EQ(WaitsOf([&] { (there * 2 + 1).sum(); }), 0);
  EXPECT_EQ(WaitsOf([&] { there.mul(at::full({}, 2.0)); }), 0);
  EXPECT_EQ(WaitsOf([&] { pinned.to(kFakeDevice, /*non_blocking=*/true); }), 0);
  EXPECT_EQ(WaitsOf([&] { moco::ToDevice(cpu, kFakeDevice); }), 0);
  EXPECT_EQ(WaitsOf([&] { there.clone().copy_(there); }), 0);

  EXPECT_EQ(WaitsOf([&] { (void)there.sum().item<float>(); }), 1);
  EXPECT_EQ(WaitsOf([&] { there.cpu(); }), 1);
  EXPECT_EQ(WaitsOf([&] { cpu.to(kFakeDevice); }), 1);
  EXPECT_EQ(WaitsOf([&] { cpu.to(kFakeDevice, /*non_blocking=*/true); }), 1);
  EXPECT_EQ(WaitsOf([&] { pinned.to(kFakeDevice); }), 1);
  EXPECT_EQ(WaitsOf([&] { there.nonzero(); }), 1);
  EXPECT_EQ(WaitsOf([&] { (void)there.equal(there); }), 1);
  EXPECT_EQ(WaitsOf([&] { at::where(there > 1, 1, there); }), 0);
  EXPECT_EQ(WaitsOf([&] { at::where(there > 1, at::full({}, 1.f), there); }), 1);
  EXPECT_TRUE(moco::ToDevice(cpu, kFakeDevice).cpu().equal(cpu));
}

TEST(FakeDeviceDeathTest, ItsMemoryIsNotTheCpus) {
  const at::Tensor there = Matrix().to(kFakeDevice);
  EXPECT_DEATH(std::printf("%f", *there.const_data_ptr<float>()), "");
}

}  // namespace
}  // namespace tests
