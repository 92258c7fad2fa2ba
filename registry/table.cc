#include "registry/table.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "registry/registry.h"

namespace registry {
namespace {

struct Tables {
  std::mutex mutex;
  std::vector<const Table*> all;
};

// Never destroyed, since tables are made and destroyed during static initialisation and exit.
Tables& AllTables() {
  static Tables& tables = *new Tables;
  return tables;
}

}  // namespace

Table::Table(std::string kind) : kind_(std::move(kind)) {
  Tables& tables = AllTables();
  std::lock_guard<std::mutex> lock(tables.mutex);
  tables.all.push_back(this);
}

Table::~Table() {
  Tables& tables = AllTables();
  std::lock_guard<std::mutex> lock(tables.mutex);
  tables.all.erase(std::find(tables.all.begin(), tables.all.end(), this));
}

std::vector<const Table*> Table::All() {
  Tables& tables = AllTables();
  std::lock_guard<std::mutex> lock(tables.mutex);
  std::vector<const Table*> all = tables.all;
  std::sort(all.begin(), all.end(),
            [](const Table* a, const Table* b) { return a->kind() < b->kind(); });
  return all;
}

std::vector<Entry> Table::List() const {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<Entry> entries;
  for (const auto& [name, row] : rows_) entries.push_back(row->entry);
  return entries;
}

std::vector<std::string> Table::Names() const {
  std::vector<std::string> names;
  for (const Entry& entry : List()) names.push_back(entry.name);
  return names;
}

absl::StatusOr<std::string> Table::Canonical(absl::string_view text) const {
  absl::StatusOr<Spec> spec = ParseSpec(text);
  if (!spec.ok()) return spec.status();
  absl::StatusOr<const Row*> row = Find(spec->name);
  if (!row.ok()) return row.status();
  return (*row)->canonical(*spec);
}

absl::Status Table::Insert(std::unique_ptr<Row> row) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto earlier = rows_.find(row->entry.name);
  if (earlier != rows_.end()) {
    return absl::AlreadyExistsError(absl::StrCat(
        "two plugins register the ", kind_, " '", row->entry.name, "': '",
        earlier->second->entry.summary, "' and '", row->entry.summary, "'; rename one"));
  }
  const std::string name = row->entry.name;
  rows_.emplace(name, std::move(row));
  return absl::OkStatus();
}

bool Table::Has(absl::string_view name) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return rows_.count(std::string(name)) > 0;
}

absl::StatusOr<const Table::Row*> Table::Find(absl::string_view name) const {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto it = rows_.find(std::string(name));
    if (it != rows_.end()) return it->second.get();
  }
  const std::vector<std::string> names = Names();
  if (names.empty()) {
    return absl::NotFoundError(absl::StrCat("no ", kind_, " is linked into this program, so '",
                                            name,
                                            "' is unknown; add the package's :all to its deps"));
  }
  std::string message = UnknownMessage(kind_, name, names);
  for (const Table* other : All()) {
    if (other != this && other->Has(name)) {
      absl::StrAppend(&message, " ('", name, "' is the name of a plugin of the kind ",
                      other->kind(), ")");
    }
  }
  return absl::NotFoundError(message);
}

bool AddedOrDie(const absl::Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
    std::abort();
  }
  return true;
}

}  // namespace registry
