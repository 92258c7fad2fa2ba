// Communicators: what the processes of a run say to each other, as plugins. The method is written
// against this interface, so that it reads the same for one process and for many.
#ifndef MOCO_COMMUNICATORS_COMMUNICATOR_H_
#define MOCO_COMMUNICATORS_COMMUNICATOR_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "registry/registry.h"

namespace moco {

class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int64_t rank() const = 0;  // 0 to size() - 1
  virtual int64_t size() const = 0;

  // The rows of every rank in rank order: n x ... on each gives (n size()) x ...; not
  // differentiated.
  virtual at::Tensor AllGather(const at::Tensor& rows) = 0;

  // Makes `tensors` of every rank those of rank 0, in place.
  virtual void Broadcast(const std::vector<at::Tensor>& tensors) = 0;

  // Makes the gradients of `parameters` their mean over the ranks.
  virtual void AverageGradients(const std::vector<at::Tensor>& parameters) = 0;
};

using CommunicatorRegistry = registry::Registry<Communicator>;
CommunicatorRegistry& Communicators();

}  // namespace moco

#endif  // MOCO_COMMUNICATORS_COMMUNICATOR_H_
