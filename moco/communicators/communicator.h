// Communicators: what the processes of a run say to each other, as plugins. The method is written
// against this interface, so that it reads the same for one process and for many.
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

// A batch is dealt to the ranks like cards: row i of the whole lies on rank i mod size(), as its
// row i / size(). So the parts of BatchNorm's split batches, which take turns in the same way, have
// the same images on one rank with size() parts as on size() ranks with one.
//
// All operations are collective: every rank calls the same ones in the same order, with tensors of
// the same shape and type. They throw PeerError, since one of them is part of a backward pass.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int64_t rank() const = 0;  // 0 to size() - 1
  virtual int64_t size() const = 0;

  // The rows of the whole batch: n x ... on each rank gives (n size()) x ...; not differentiated.
  virtual at::Tensor AllGather(const at::Tensor& rows) = 0;

  // This rank's rows of the whole batch in another order, AllGather(rows).index_select(0, order),
  // of which only those travel that change their rank. order: n size(), int64, a permutation, on
  // the CPU.
  virtual at::Tensor Permute(const at::Tensor& rows, const at::Tensor& order) = 0;

  // Makes `tensors` of every rank those of rank 0, in place.
  virtual void Broadcast(const std::vector<at::Tensor>& tensors) = 0;

  // Once: the parameters whose gradients Backward averages.
  virtual void AverageGradientsOf(const std::vector<at::Tensor>& parameters) = 0;

  // loss.backward(), after which the parameters' gradients, with what earlier passes left there,
  // are their means over the ranks.
  virtual void Backward(const at::Tensor& loss) = 0;

  // The run ends here, with `why` when it isn't OK: the others hear it instead of silence. Returns
  // whether rank 0 ends for the same reason, and this one need not say it, too. Not collective.
  virtual bool Leave(const absl::Status& why) = 0;

  // This rank's rows of the whole batch's.
  at::Tensor Own(const at::Tensor& rows) const { return rows.slice(0, rank(), {}, size()); }
};

// A process that is lost, or with which no words can be exchanged; what() names its rank.
class PeerError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Runs `body`; what a lost process throws there is Unavailable, with what to do. `at_step`: the
// step that is computed then, from 0; -1 before the first.
absl::Status UntilAPeerIsLost(const std::function<absl::Status()>& body,
                              const int64_t& at_step = -1);

// Rows as they lie in memory, n x values, and back in the shape and layout of `like` (of any number
// of rows): what lies together is moved together, images in channels_last too.
at::Tensor RowsInMemory(const at::Tensor& rows);
at::Tensor RowsLike(const at::Tensor& in_memory, const at::Tensor& like);

using CommunicatorRegistry = registry::Registry<Communicator>;
CommunicatorRegistry& Communicators();

}  // namespace moco

#endif  // MOCO_COMMUNICATORS_COMMUNICATOR_H_
