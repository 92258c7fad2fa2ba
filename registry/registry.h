// Registries: one table per kind of plugin, from names to factories.
//
// The interface header of a kind declares its table, and one .cc file defines it, so that a process
// has exactly one table per kind:
//
//   using BackboneRegistry = registry::Registry<Backbone, const BackboneContext&>;
//   BackboneRegistry& Backbones();
//
// A plugin registers itself at the end of its .cc file, in a target made by the macro mocopp_plugin
// (tools/mocopp.bzl):
//
//   REGISTER_PLUGIN(Backbones, "tiny", "a tiny network", TinyOptions, MakeTiny);
//
// where MakeTiny is a function from (const TinyOptions&, const BackboneContext&) to
// absl::StatusOr<std::unique_ptr<Backbone>>. A table's type has the interface that its plugins
// implement (Product), and the arguments that only the program knows at run time (Args).
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

  // `kind` is the name of the kind in errors, for example "backbone".
  explicit Registry(std::string kind) : Table(std::move(kind)) {}

  // AlreadyExists if the name is taken; the error shows both summaries.
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

  // Creates the plugin that the spec `text` describes. Errors: a malformed spec, an unknown name or
  // option (the message lists the known ones and suggests the nearest), a value out of range, and
  // the errors of the factory itself.
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

// Aborts with the reason if a plugin cannot be registered, since of two plugins with one name
// neither can be chosen.
bool AddedOrDie(const absl::Status& status);

#define REGISTER_PLUGIN(table, name, summary, Options, make) \
  [[maybe_unused]] static const bool registered_##make =     \
      ::registry::AddedOrDie((table)().template Add<Options>(name, summary, make))

}  // namespace registry

#endif  // REGISTRY_REGISTRY_H_
