// Ranks that each compute on a device, as with NCCL: threads of this process on fake devices
// (tests/device/fake_device.h), and in the place of NCCL a backend that is as particular as it.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DeviceGuard.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dist/group.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/communicators/agreement.h"
#include "moco/communicators/communicator.h"
#include "moco/communicators/communicator_contract.h"
#include "moco/moco.h"
#include "moco/training/training_state.h"
#include "tests/device/fake_device.h"

namespace dist {
namespace {

using moco::Communicator;
using ::testing::HasSubstr;
using tests::FakeDevice;
using tests::OnCpu;
using Tensors = std::vector<at::Tensor>;

// --- What stands for NCCL ---

std::atomic<int> shutdowns = 0;

// What one backend's operations have in common: the error of one that nobody has waited for.
struct Errors {
  std::mutex mutex;
  std::string first;

  void Add(const std::string& error) {
    const std::lock_guard<std::mutex> lock(mutex);
    if (first.empty()) first = error;
  }
  void Throw() {
    const std::lock_guard<std::mutex> lock(mutex);
    if (!first.empty()) C10_THROW_ERROR(DistBackendError, first);
  }
};

// An operation under way: the tensors hold nothing of use until it is waited for. A future, which
// the Reducer has instead, comes to its end without an error, as NCCL's does; the error is of the
// next wait.
class LateWork : public c10d::Work {
 public:
  LateWork(c10::intrusive_ptr<c10d::Work> work, Tensors results, Tensors tensors,
           std::shared_ptr<Errors> errors)
      : work_(std::move(work)),
        results_(std::move(results)),
        tensors_(std::move(tensors)),
        errors_(std::move(errors)) {}

  bool wait(std::chrono::milliseconds) override {
    Finish();
    errors_->Throw();
    return true;
  }

  c10::intrusive_ptr<c10::ivalue::Future> getFuture() override {
    const auto future =
        c10::make_intrusive<c10::ivalue::Future>(c10::ListType::create(c10::TensorType::get()),
                                                 std::vector<c10::Device>{tensors_[0].device()});
    const auto self = c10::intrusive_ptr<LateWork>::reclaim_copy(this);
    std::thread([self, future] {
      self->Finish();
      future->markCompleted(self->tensors_);
    }).detach();
    return future;
  }

 private:
  void Finish() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (finished_) return;
    finished_ = true;
    try {
      work_->wait();
      for (size_t i = 0; i < tensors_.size(); ++i) OnCpu(tensors_[i]).copy_(results_[i]);
    } catch (const std::exception& e) {
      errors_->Add(e.what());
    }
  }

  std::mutex mutex_;
  bool finished_ = false;
  const c10::intrusive_ptr<c10d::Work> work_;
  const Tensors results_, tensors_;  // of the CPU, and where they belong
  const std::shared_ptr<Errors> errors_;
};

class LateBackend : public c10d::Backend {
 public:
  explicit LateBackend(c10::intrusive_ptr<c10d::Backend> gloo)
      : Backend(gloo->getRank(), gloo->getSize()), gloo_(std::move(gloo)) {}

  const std::string getBackendName() const override { return "late"; }
  void shutdown() override { ++shutdowns; }

  c10::intrusive_ptr<c10d::Work> allreduce(Tensors& tensors,
                                           const c10d::AllreduceOptions& options) override {
    Tensors own = Take(tensors);
    return Late(gloo_->allreduce(own, options), own, tensors);
  }
  c10::intrusive_ptr<c10d::Work> broadcast(Tensors& tensors,
                                           const c10d::BroadcastOptions& options) override {
    Tensors own = Take(tensors);
    return Late(gloo_->broadcast(own, options), own, tensors);
  }
  c10::intrusive_ptr<c10d::Work> allgather(std::vector<Tensors>& outputs, Tensors& inputs,
                                           const c10d::AllgatherOptions& options) override {
    Tensors own = Take(inputs, /*spoil=*/false);
    std::vector<Tensors> all = {Take(outputs[0])};
    return Late(gloo_->allgather(all, own, options), all[0], outputs[0]);
  }
  c10::intrusive_ptr<c10d::Work> alltoall_base(at::Tensor& output, at::Tensor& input,
                                               std::vector<int64_t>& output_sizes,
                                               std::vector<int64_t>& input_sizes,
                                               const c10d::AllToAllOptions& options) override {
    at::Tensor own = Take({input}, /*spoil=*/false)[0], all = Take({output})[0];
    return Late(gloo_->alltoall_base(all, own, output_sizes, input_sizes, options), {all},
                {output});
  }

 private:
  c10::intrusive_ptr<c10d::Work> Late(c10::intrusive_ptr<c10d::Work> work, Tensors results,
                                      Tensors tensors) const {
    return c10::make_intrusive<LateWork>(std::move(work), std::move(results), std::move(tensors),
                                         errors_);
  }

  // Copies for the CPU. `spoil`: the tensors hold nothing of use from now on.
  static Tensors Take(const Tensors& tensors, bool spoil = true) {
    Tensors copies;
    for (const at::Tensor& tensor : tensors) {
      TORCH_CHECK(tensor.is_privateuseone(), "tensors must be on a device, not on ",
                  tensor.device());
      const at::Tensor memory = OnCpu(tensor);
      copies.push_back(memory.clone());
      if (!spoil) continue;
      if (memory.is_floating_point()) {
        memory.fill_(std::numeric_limits<double>::quiet_NaN());
      } else {
        memory.fill_(77);
      }
    }
    return copies;
  }

  const c10::intrusive_ptr<c10d::Backend> gloo_;
  const std::shared_ptr<Errors> errors_ = std::make_shared<Errors>();
};

DeviceBackend LateOnDevices() {
  return {c10::DeviceType::PrivateUse1,
          [](const c10::intrusive_ptr<c10d::Store>& store, const GroupOptions& options,
             const std::string& interface) -> c10::intrusive_ptr<c10d::Backend> {
            return c10::make_intrusive<LateBackend>(Gloo().make(store, options, interface));
          }};
}

TEST(LateBackendTest, IsAsParticularAsNccl) {
  const auto backend =
      LateOnDevices().make(c10::make_intrusive<c10d::HashStore>(), {}, "127.0.0.1");
  Tensors cpu = {at::full({2}, 1.0)};
  EXPECT_THROW(backend->allreduce(cpu, {}), c10::Error);
  Tensors there = {at::full({2}, 1.0, FakeDevice(0))};
  const auto work = backend->allreduce(there, {});
  EXPECT_TRUE(there[0].isnan().all().item<bool>());
  work->wait();
  EXPECT_TRUE(there[0].cpu().equal(cpu[0]));
}

// --- Ranks ---

// Runs `body` as each of `size` ranks, on a device of its own.
void AsRanks(int size, const std::function<void(Communicator&, c10::Device)>& body,
             double timeout = 20) {
  const std::string file =
      absl::StrCat(testing::TempDir(), "/", getpid(), "_", size, "_",
                   testing::UnitTest::GetInstance()->current_test_info()->name());
  std::vector<std::thread> ranks;
  for (int rank = 0; rank < size; ++rank) {
    ranks.emplace_back([&, rank] {
      const c10::DeviceGuard on(FakeDevice(rank));
      GroupOptions options;
      options.rank = rank;
      options.size = size;
      options.store_file = file;
      options.timeout = timeout;
      auto communicator = JoinGroup(options, {LateOnDevices(), Gloo()});
      ASSERT_TRUE(communicator.ok()) << communicator.status();
      body(**communicator, FakeDevice(rank));
    });
  }
  for (std::thread& rank : ranks) rank.join();
}

TEST(DeviceGroupTest, KeepsTheContractOnDevicesAndOnTheCpu) {
  for (const int size : {1, 2, 3}) {
    shutdowns = 0;
    AsRanks(size, [](Communicator& ranks, c10::Device device) {
      moco::ExpectContract(ranks, device);
      EXPECT_EQ(moco::AllGatherText(ranks, "text").size(), ranks.size());
    });
    AsRanks(size, [](Communicator& ranks, c10::Device) { moco::ExpectContract(ranks); });
    EXPECT_EQ(shutdowns, 2 * size);
  }
}

TEST(DeviceGroupTest, TensorsOfDevicesAreCompared) {
  AsRanks(2, [](Communicator& ranks, c10::Device device) {
    const at::Tensor same = at::full({3}, 1.0, device), own = at::full({3}, ranks.rank(), device);
    EXPECT_EQ(moco::CheckSameTensors(ranks, {same}, "they", 1), absl::OkStatus());
    EXPECT_TRUE(absl::IsInternal(moco::CheckSameTensors(ranks, {same, own}, "they", 1)));
  });
}

// Backward itself says so, and not the next words between the ranks.
TEST(DeviceGroupTest, APeerThatIsLostInABackwardPassIsNoticedThere) {
  AsRanks(
      2,
      [](Communicator& ranks, c10::Device device) {
        const at::Tensor p = at::full({3}, 1.0, device).requires_grad_();
        ranks.AverageGradientsOf({p});
        if (ranks.rank() == 1) {
          ranks.Leave(absl::DataLossError("image 5 is damaged"));
          return;
        }
        try {
          ranks.Backward(p.sum());
          FAIL() << "not noticed";
        } catch (const moco::PeerError& e) {
          EXPECT_THAT(e.what(), HasSubstr("rank 1 has ended: image 5 is damaged"));
        }
        ranks.Leave(absl::UnavailableError("alone"));
      },
      /*timeout=*/1.5);
}

// --- The method ---

moco::MoCoOptions Small(int64_t bn_splits) {
  moco::MoCoOptions o;
  o.encoder.backbone = "resnet_small:width=4,blocks=1,stages=2";
  o.encoder.head = "mlp:dim=8";
  o.encoder.bn_splits = bn_splits;
  o.queue_size = 30;
  o.momentum = 0.9;
  o.dtype = at::kDouble;
  o.seed = 3;
  return o;
}

// Two ranks on devices make the steps of one process on the CPU.
TEST(DeviceGroupTest, StepsAreThoseOfOneProcess) {
  const auto alone = moco::Communicators().Create("single").value();
  at::manual_seed(1);
  const auto one = moco::MoCo::Create(Small(/*bn_splits=*/2), *alone).value();
  moco::Checkpoint start;
  moco::Capture(*one, start);
  for (auto& [name, tensor] : start.state) tensor = tensor.detach().clone();
  for (auto& [name, slot] : start.optimizer.slots) {
    for (at::Tensor& tensor : slot) tensor = tensor.clone();
  }
  constexpr int kSteps = 4;
  const at::Tensor images = at::randn({kSteps, 2, 8, 3, 16, 16}, at::kDouble);
  const auto view = [&](int step, int v) {
    return images[step][v].contiguous(at::MemoryFormat::ChannelsLast);
  };
  std::vector<moco::StepMetrics> expected;
  for (int step = 0; step < kSteps; ++step) {
    expected.push_back(one->Step(view(step, 0), view(step, 1), 0.05, step).value());
  }

  AsRanks(2, [&](Communicator& ranks, c10::Device device) {
    moco::MoCoOptions options = Small(/*bn_splits=*/1);
    options.device = device;
    const auto own = moco::MoCo::Create(options, ranks).value();
    ASSERT_EQ(moco::Restore(start, *own), absl::OkStatus());
    for (int step = 0; step < kSteps; ++step) {
      const auto deal = [&](int v) { return ranks.Own(view(step, v)).to(device); };
      auto found = own->Step(deal(0), deal(1), 0.05, step).value();
      EXPECT_NEAR(found.loss, expected[step].loss, 1e-9) << step;
      EXPECT_EQ(found.top1, expected[step].top1) << step;
      EXPECT_EQ(found.top5, expected[step].top5) << step;
    }
    EXPECT_EQ(moco::CheckSameTensors(ranks, own->SharedState(), "they", kSteps), absl::OkStatus());
    const at::Tensor keys = own->queue().keys().cpu();
    EXPECT_LT((keys - one->queue().keys()).abs().max().item<double>(), 1e-9);
  });
}

// The loss of rank 1 at step 1 is not finite. It is read after two further steps.
TEST(DeviceGroupTest, ALossOfOneRankThatIsNotFiniteStopsAllOfThem) {
  AsRanks(2, [&](Communicator& ranks, c10::Device device) {
    moco::MoCoOptions options = Small(/*bn_splits=*/1);
    options.device = device;
    const auto moco = moco::MoCo::Create(options, ranks).value();
    ranks.Broadcast(moco->SharedState());
    const at::Tensor images = at::full({4, 3, 16, 16}, 0.5, at::kDouble)
                                  .mul(at::tensor({1.0, 2.0, 3.0, 4.0}).view({4, 1, 1, 1}))
                                  .contiguous(at::MemoryFormat::ChannelsLast);
    at::Tensor bad = images.clone();
    bad[0][0][0][0] = std::numeric_limits<double>::quiet_NaN();
    std::vector<at::Tensor> before;
    for (int step = 0; step < 4; ++step) {
      const at::Tensor x = (step == 1 && ranks.rank() == 1 ? bad : images + step).to(device);
      moco->StepAhead(x, (images - step).to(device), 0.05, step);
      if (step > 0) continue;
      for (const at::Tensor& p : moco->query_encoder().Parameters()) {
        before.push_back(p.detach().clone());
      }
      before.push_back(moco->queue().keys().clone());
    }
    const absl::Status stopped = moco->Read().status();
    EXPECT_EQ(stopped.code(), absl::StatusCode::kAborted);
    EXPECT_THAT(std::string(stopped.message()), HasSubstr("of rank 1 is nan at step 1;"));
    std::vector<at::Tensor> after = moco->query_encoder().Parameters();
    after.push_back(moco->queue().keys());
    for (size_t i = 0; i < after.size(); ++i) EXPECT_TRUE(after[i].equal(before[i])) << i;
    EXPECT_EQ(moco::CheckSameTensors(ranks, moco->SharedState(), "they", 4), absl::OkStatus());
  });
}

}  // namespace
}  // namespace dist
