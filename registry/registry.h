// Registries: one table per kind of plugin, from names to factories.
//
// A kind's interface header declares its table and the kind's .cc defines it, so that a process has
// one:
//
//   using BackboneRegistry = registry::Registry<Backbone, const BackboneContext&>;
//   BackboneRegistry& Backbones();
//
// A plugin registers itself at the end of its .cc, in a target made by `plugin` of
// //tools:plugin.bzl:
//
//   REGISTER_PLUGIN(Backbones, "resnet18", "ResNet-18 of torchvision", ResNetOptions,
//   MakeResNet18);
//
// where MakeResNet18 is `absl::StatusOr<std::unique_ptr<Backbone>>(const ResNetOptions&, const
// BackboneContext&)`. The product type, and what only the program knows at run time (Args), type
// the table.
#ifndef REGISTRY_REGISTRY_H_
#define REGISTRY_REGISTRY_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "registry/options.h"
#include "registry/spec.h"
#include "registry/table.h"

namespace registry {

template <class Product, class... Args>
class Registry : public Table {
 public:
  using Ptr = std::unique_ptr<Product>;

  // `kind` is the word that errors use, for example "backbone".
  explicit Registry(std::string kind) : Table(std::move(kind)) {}

  // AlreadyExists when the name is taken; the error names both summaries.
  template <class Options, class Make>
  absl::Status Add(absl::string_view name, absl::string_view summary, Make make) {
    auto row = std::make_unique<TypedRow>();
    row->entry = {std::string(name), std::string(summary), DescribeOptions<Options>()};
    row->make = [make](const Spec& spec, Args... args) -> absl::StatusOr<Ptr> {
      absl::StatusOr<Options> options = ParseOptions<Options>(spec);
      if (!options.ok()) return options.status();
      return make(*options, std::forward<Args>(args)...);
    };
    row->canonical = [](const Spec& spec) -> absl::StatusOr<std::string> {
      absl::StatusOr<Options> options = ParseOptions<Options>(spec);
      if (!options.ok()) return options.status();
      return CanonicalSpec(spec.name, *options);
    };
    return Insert(std::move(row));
  }

  // The plugin that `text` specifies. Errors: a malformed spec, an unknown name or option (with
  // what is known and nearest), a value out of range, or whatever the factory itself refuses.
  absl::StatusOr<Ptr> Create(absl::string_view text, Args... args) const {
    absl::StatusOr<Spec> spec = ParseSpec(text);
    if (!spec.ok()) return spec.status();
    absl::StatusOr<const Row*> row = Find(spec->name);
    if (!row.ok()) return row.status();
    return static_cast<const TypedRow*>(*row)->make(*spec, std::forward<Args>(args)...);
  }

 private:
  struct TypedRow : Row {
    std::function<absl::StatusOr<Ptr>(const Spec&, Args...)> make;
  };
};

// Aborts, saying why, when a plugin cannot be registered: two of one name cannot both be meant.
bool AddedOrDie(const absl::Status& status);

#define REGISTER_PLUGIN(table, name, summary, Options, make) \
  [[maybe_unused]] static const bool registered_##make =     \
      ::registry::AddedOrDie((table)().template Add<Options>(name, summary, make))

}  // namespace registry

#endif  // REGISTRY_REGISTRY_H_
