// Which part of a place is a split's, by names.
#ifndef DATA_SPLITS_H_
#define DATA_SPLITS_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "data/location.h"

namespace data {

// Every format that needs no options, by name.
using NamedFormat = std::pair<std::string, std::unique_ptr<Format>>;
std::vector<NamedFormat> AllFormats();

// The endings of the given format's files, or of all formats' if it is null, sorted.
using Endings = std::vector<std::string> (Format::*)() const;
std::vector<std::string> EndingsOf(const Format* given, Endings endings);

// What one split is: a folder, a file, or several files (shards). Empty: no part of the place.
struct Part {
  std::vector<std::string> paths;
  std::vector<std::string> notes;
  std::string place() const;  // for people
};

// The part of a folder that is the split's; without paths if there is none. `given`: the format
// that the user has named; null for any. InvalidArgument, naming the flags that decide, if several
// parts could be the split's, or if what looks like a split could be a class.
absl::StatusOr<Part> FindPart(const DataLocation& root, Split split, const Format* given);

}  // namespace data

#endif  // DATA_SPLITS_H_
