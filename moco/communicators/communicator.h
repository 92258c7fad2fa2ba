// Communicators as plugins: a communicator exchanges tensors between the processes of a run. The
// method uses only this interface, so that its code is the same for one process and for many.
#ifndef MOCO_COMMUNICATORS_COMMUNICATOR_H_
#define MOCO_COMMUNICATORS_COMMUNICATOR_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <vector>

#include "absl/status/status.h"
#include "registry/registry.h"

namespace moco {

// The rows of a batch are assigned to the ranks in turn: row i of the whole batch is row i / size()
// on rank i mod size(). Split batch normalisation assigns rows to its parts in the same way, so
// that one rank with size() parts has the same images in each part as size() ranks with one part
// each.
//
// All operations are collective: every rank calls the same ones in the same order, with tensors of
// the same shape and type. They report errors by throwing PeerError, because one of them is part of
// a backward pass.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int64_t rank() const = 0;  // 0 to size() - 1
  virtual int64_t size() const = 0;

  // Returns the rows of the whole batch: n x ... on each rank gives (n size()) x ...; not
  // differentiable.
  virtual at::Tensor AllGather(const at::Tensor& rows) = 0;

  // Returns this rank's rows of AllGather(rows).index_select(0, order), the whole batch in another
  // order. Only rows that change their rank are sent. order: n size(), int64, a permutation, on the
  // CPU.
  virtual at::Tensor Permute(const at::Tensor& rows, const at::Tensor& order) = 0;

  // Copies the `tensors` of rank 0 to every other rank, in place.
  virtual void Broadcast(const std::vector<at::Tensor>& tensors) = 0;

  // Sets the parameters whose gradients Backward averages. Called once.
  virtual void AverageGradientsOf(const std::vector<at::Tensor>& parameters) = 0;

  // Runs loss.backward(). Afterwards each gradient, including what earlier passes have added to it,
  // is the mean over the ranks.
  virtual void Backward(const at::Tensor& loss) = 0;

  // Ends this rank's part in the run and tells the other ranks `why`, so that they need not wait
  // for a timeout. Returns whether rank 0 ends for the same reason, so that this rank need not
  // report it, too. Not collective.
  virtual bool Leave(const absl::Status& why) = 0;

  // Returns this rank's rows of the whole batch.
  at::Tensor Own(const at::Tensor& rows) const { return rows.slice(0, rank(), {}, size()); }
};

// Thrown if a process is lost or cannot be reached; what() names its rank.
class PeerError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Runs `body`, and turns a PeerError into Unavailable with the remedy. `at_step` is the step being
// computed at that moment, from 0; -1 before the first one.
absl::Status UntilAPeerIsLost(const std::function<absl::Status()>& body,
                              const int64_t& at_step = -1);

// Convert rows to an n x values matrix in their memory order, and back to the shape and layout of
// `like` (with any number of rows), so that images in channels_last are not rearranged.
at::Tensor RowsInMemory(const at::Tensor& rows);
at::Tensor RowsLike(const at::Tensor& in_memory, const at::Tensor& like);

using CommunicatorRegistry = registry::Registry<Communicator>;
CommunicatorRegistry& Communicators();

}  // namespace moco

#endif  // MOCO_COMMUNICATORS_COMMUNICATOR_H_
