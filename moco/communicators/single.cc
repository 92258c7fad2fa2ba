// One process: every operation is the identity.
#include "moco/communicators/communicator.h"
#include "moco/to_device.h"

namespace moco {
namespace {

struct SingleOptions {
  template <class Visitor>
  void Visit(Visitor&) {}
};

class Single : public Communicator {
 public:
  int64_t rank() const override { return 0; }
  int64_t size() const override { return 1; }
  at::Tensor AllGather(const at::Tensor& rows) override { return rows; }
  at::Tensor Permute(const at::Tensor& rows, const at::Tensor& order) override {
    return RowsLike(RowsInMemory(rows).index_select(0, ToDevice(order, rows.device())), rows);
  }
  void Broadcast(const std::vector<at::Tensor>&) override {}
  void AverageGradientsOf(const std::vector<at::Tensor>&) override {}
  void Backward(const at::Tensor& loss) override { loss.backward(); }
  bool Leave(const absl::Status&) override { return false; }
};

absl::StatusOr<std::unique_ptr<Communicator>> MakeSingle(const SingleOptions&) {
  return std::make_unique<Single>();
}

REGISTER_PLUGIN(Communicators, "single",
                "one process; the programs of //dist have others, for several", SingleOptions,
                MakeSingle);

}  // namespace
}  // namespace moco
