// Names of images in large trees of folders, kept in the user's cache from one run to the next.
//
// What is kept is taken only while every folder is still the same one, with the same times of
// change: a file that was added, taken away or renamed shows there. Whatever is wrong with the
// cache (absent, damaged, not writable, no home), the folders are read instead.
#ifndef DATA_INDEX_CACHE_H_
#define DATA_INDEX_CACHE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "data/listing.h"

namespace data {

// The file in $XDG_CACHE_HOME or ~/.cache that is for the tree at `root`; empty: nowhere.
std::string IndexPath(const std::string& root);

// The names that WriteIndex was given for `root`, when they are still true.
std::optional<Names> ReadIndex(const std::string& root);

// Keeps the names that were read from the folders since `began` (nanoseconds, CLOCK_REALTIME). Not
// when a folder had just changed then: it could have changed again without a new time.
void WriteIndex(const std::string& root, const Tree& tree, int64_t began);

}  // namespace data

#endif  // DATA_INDEX_CACHE_H_
