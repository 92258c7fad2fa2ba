// The options of a plugin without options.
#ifndef REGISTRY_NO_OPTIONS_H_
#define REGISTRY_NO_OPTIONS_H_

namespace registry {

struct NoOptions {
  template <class Visitor>
  void Visit(Visitor&) {}
};

}  // namespace registry

#endif  // REGISTRY_NO_OPTIONS_H_
