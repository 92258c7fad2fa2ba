// See gloo/algorithm.h.
#ifndef GLOO_TRANSPORT_DEVICE_H_
#define GLOO_TRANSPORT_DEVICE_H_

namespace gloo {
namespace transport {

class Device;
class UnboundBuffer;

}  // namespace transport
}  // namespace gloo

#endif  // GLOO_TRANSPORT_DEVICE_H_
