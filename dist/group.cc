#include "dist/group.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Logging.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/comm.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>
#include <typeinfo>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/exit_code.h"
#include "dist/liveness.h"
#include "dist/routes.h"
#include "dist/store.h"
#include "moco/to_device.h"

namespace dist {
namespace {

constexpr int64_t kFirstBucketBytes = 1 << 20,
                  kBucketBytes = 25 << 20;  // those of PyTorch's DDP

// Whether an exception from a backward pass is about communication. The header of Gloo's own
// exceptions is not available here.
bool IsAboutPeers(const std::exception& e) {
  return dynamic_cast<const c10::DistError*>(&e) != nullptr ||
         std::strstr(typeid(e).name(), "gloo") != nullptr;
}

class Group : public moco::Communicator {
 public:
  Group(const GroupOptions& options, const Rendezvous& met,
        c10::intrusive_ptr<c10d::ProcessGroup> group)
      : options_(options), store_(met.store), group_(std::move(group)) {
    if (options_.size > 1) {
      heartbeat_ = std::make_unique<Heartbeat>(met.heartbeat_store, options_.rank);
    }
  }

  // After a failure the parts are leaked: a destructor would wait for the exchange with the lost
  // process that it is in the middle of.
  ~Group() override {
    if (!failed_) {
      reducer_.reset();
      group_->shutdown();  // NCCL's destructor reports an error without it
      return;
    }
    (void)reducer_.release();
    (void)heartbeat_.release();
    (void)group_.release();
    (void)store_.release();
  }

  int64_t rank() const override { return options_.rank; }
  int64_t size() const override { return options_.size; }

  at::Tensor AllGather(const at::Tensor& rows) override {
    if (size() == 1) return rows;
    const at::Tensor own = moco::RowsInMemory(rows.detach()).contiguous();
    // Gathered by rank, then interleaved: row i of the whole is row i / size of rank i mod size.
    const at::Tensor all = at::empty({size(), own.size(0), own.size(1)}, own.options());
    std::vector<std::vector<at::Tensor>> outputs = {all.unbind(0)};
    std::vector<at::Tensor> inputs = {own};
    Try([&] { group_->allgather(outputs, inputs)->wait(); });
    return moco::RowsLike(all.transpose(0, 1).reshape({-1, own.size(1)}), rows);
  }

  at::Tensor Permute(const at::Tensor& rows, const at::Tensor& order) override {
    Routes routes = FindRoutes(order, rank(), size());
    const at::Tensor own = moco::RowsInMemory(rows.detach());
    at::Tensor sent =
        own.index_select(0, moco::ToDevice(at::tensor(routes.send, at::kLong), own.device()));
    at::Tensor received = at::empty_like(own, at::MemoryFormat::Contiguous);
    if (size() == 1) {
      received = sent;
    } else {
      Try([&] {
        group_->alltoall_base(received, sent, routes.receive_count, routes.send_count)->wait();
      });
    }
    return moco::RowsLike(
        received.index_select(0, moco::ToDevice(at::tensor(routes.place), own.device())), rows);
  }

  void Broadcast(const std::vector<at::Tensor>& tensors) override {
    if (size() == 1) return;
    at::NoGradGuard no_grad;
    Try([&] { c10d::broadcast_coalesced(group_, tensors, 250 << 20, 0); });
  }

  void AverageGradientsOf(const std::vector<at::Tensor>& parameters) override {
    if (size() == 1) return;
    Try([&] {
      c10d::verify_params_across_processes(group_, parameters, std::nullopt);
      MakeReducer(parameters);
    });
  }

  void Backward(const at::Tensor& loss) override {
    if (size() == 1) return loss.backward();
    try {
      reducer_->prepare_for_forward();
      reducer_->prepare_for_backward({});
      loss.backward();
      if (!loss.is_cpu()) AwaitDevice(loss.device());
    } catch (const std::exception& e) {
      if (!IsAboutPeers(e)) throw;
      Fail(e);
    }
  }

  bool Leave(const absl::Status& why) override {
    if (size() == 1 || why.ok()) return false;
    const bool same_as_rank_0 = !failed_ && PublishAndDisconnect(why);
    if (rank() == 0) AwaitOthers();
    failed_ = true;
    return same_as_rank_0;
  }

 private:
  // Gradients on a device may still be on their way after the backward pass, and the Reducer does
  // not wait for them on the CPU. This wait notices a lost peer; later ones on the device would not
  // end.
  void AwaitDevice(at::Device device) {
    std::vector<at::Tensor> last = {at::zeros({1}, device)};
    group_->allreduce(last)->wait();
  }

  // The Reducer fills its buckets in the order in which its first pass produces the gradients, and
  // the sum of three numbers depends on their position in a bucket. A resumed run must have the
  // buckets of the run that it resumes, so the first pass is an artificial one: the parameters from
  // the last to the first, which is about the order of a real pass.
  void MakeReducer(const std::vector<at::Tensor>& parameters) {
    auto buckets = std::get<0>(
        c10d::compute_bucket_assignment_by_size(parameters, {std::numeric_limits<size_t>::max()}));
    reducer_ = std::make_unique<c10d::Reducer>(
        parameters, std::move(buckets), group_, std::vector<bool>(parameters.size(), false),
        kBucketBytes, /*find_unused_parameters=*/false, /*gradient_as_bucket_view=*/false,
        std::unordered_map<size_t, std::string>(), kFirstBucketBytes,
        /*skip_all_reduce_unused_params=*/false, /*use_python_reducer=*/false,
        std::vector<int64_t>{kFirstBucketBytes, kBucketBytes});
    reducer_->prepare_for_forward();
    reducer_->prepare_for_backward({});
    for (auto p = parameters.rbegin(); p != parameters.rend(); ++p) p->sum().backward();
    reducer_->rebuild_buckets();
    for (at::Tensor p : parameters) p.mutable_grad().reset();
  }

  template <class Operation>
  void Try(const Operation& operation) {
    try {
      operation();
    } catch (const std::exception& e) {
      if (base::IsOutOfMemory(e)) throw;
      Fail(e);
    }
  }

  [[noreturn]] void Fail(const std::exception& e) {
    failed_ = true;
    const std::string reason = AskStore(
        size(), [store = store_, options = options_] { return LearnReason(*store, options); });
    throw moco::PeerError(absl::StrCat(reason, " (", FirstLine(e), ")"));
  }

  // Closes this process's connections, so that the others notice at once, and publishes the reason
  // for them. Returns whether rank 0 has ended for the same reason.
  bool PublishAndDisconnect(const absl::Status& why) {
    // All ranks have agreed on a stop, though their messages differ.
    const std::string own =
        absl::StrCat(why.raw_code(), absl::IsCancelled(why) ? "" : std::string(why.message()));
    const std::string of_rank_0 =
        AskStore(size(), [store = store_, rank = rank(), size = size(), why, own] {
          SetText(*store, RankKey("left", rank), own);
          PublishReason(*store, size, absl::StrCat("rank ", rank, " has ended: ", why.message()));
          Acknowledge(*store);
          if (rank == 0) return std::string();
          store->wait({RankKey("left", 0)}, kDiagnosisTime);
          return GetText(*store, RankKey("left", 0));
        });
    reducer_.reset();
    group_.reset();
    return rank() > 0 && of_rank_0 == own;
  }

  // Rank 0 serves the store, and so stays until the others know why they are alone.
  void AwaitOthers() {
    const std::string all = "all", some = "some";
    const auto acknowledged = [&] {
      return AskStore(size(), [=, store = store_] { return AllAcknowledged(*store) ? all : some; });
    };
    const auto end = std::chrono::steady_clock::now() + kDiagnosisTime;
    while (std::chrono::steady_clock::now() < end && acknowledged() == some) {
      std::this_thread::sleep_for(kPollInterval);
    }
  }

  const GroupOptions options_;
  StorePtr store_;
  c10::intrusive_ptr<c10d::ProcessGroup> group_;
  std::unique_ptr<Heartbeat> heartbeat_;
  std::unique_ptr<c10d::Reducer> reducer_;
  bool failed_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<moco::Communicator>> JoinGroup(
    const GroupOptions& options, const std::vector<DeviceBackend>& backends) {
  if (options.rank >= options.size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "rank ", options.rank, " is not below the number of processes, ", options.size));
  }
  // What c10d itself prints about a peer is a stack trace; the statuses here say it better.
  setenv("TORCH_CPP_LOG_LEVEL", "FATAL", /*overwrite=*/0);
  c10::initLogging();
  const auto met = Meet(options);
  if (!met.ok()) return met.status();
  try {
    auto group = c10::make_intrusive<c10d::ProcessGroup>(met->store, static_cast<int>(options.rank),
                                                         static_cast<int>(options.size));
    for (const DeviceBackend& of : backends) {
      const auto own =
          c10::make_intrusive<c10d::PrefixStore>(c10::DeviceTypeName(of.device), met->store);
      const auto backend = of.make(own, options, met->interface);
      const auto type = c10d::ProcessGroup::strToBackendType(backend->getBackendName());
      if (&of == &backends.front()) group->setDefaultBackend(type);
      group->setBackend(of.device, type, backend);
    }
    return std::make_unique<Group>(options, *met, std::move(group));
  } catch (const std::exception& e) {
    return absl::UnavailableError(
        absl::StrCat("rank ", options.rank, " cannot connect to the others: ", FirstLine(e)));
  }
}

}  // namespace dist
