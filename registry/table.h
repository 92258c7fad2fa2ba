// The part of a registry that does not depend on its type: names, help, canonical specs, errors.
#ifndef REGISTRY_TABLE_H_
#define REGISTRY_TABLE_H_

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "registry/options.h"
#include "registry/spec.h"

namespace registry {

// The description of one plugin in a catalogue.
struct Entry {
  std::string name, summary;
  std::vector<OptionInfo> options;
};

class Table {
 public:
  explicit Table(std::string kind);
  virtual ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  const std::string& kind() const { return kind_; }

  // Sorted by name.
  std::vector<Entry> List() const;
  std::vector<std::string> Names() const;

  // Returns the spec with every option spelled out. Errors are those of Registry::Create, except
  // for those of the factory.
  absl::StatusOr<std::string> Canonical(absl::string_view text) const;

  // Every table of the process, sorted by kind.
  static std::vector<const Table*> All();

 protected:
  struct Row {
    virtual ~Row() = default;
    Entry entry;
    std::function<absl::StatusOr<std::string>(const Spec&)> canonical;
  };

  absl::Status Insert(std::unique_ptr<Row> row);
  // NotFound lists the known names, the nearest one and the kind that does have the name, or, for
  // an empty table, says what to link. Rows are never removed, so the pointer stays valid.
  absl::StatusOr<const Row*> Find(absl::string_view name) const;

 private:
  bool Has(absl::string_view name) const;

  const std::string kind_;
  mutable std::mutex mutex_;  // not absl::Mutex: Debian's Abseil is not built with ThreadSanitizer
  std::map<std::string, std::unique_ptr<Row>, std::less<>> rows_;
};

}  // namespace registry

#endif  // REGISTRY_TABLE_H_
