// Names of images in large trees of folders, kept in the user's cache from one run to the next.
//
// The cache is valid while every folder is still the same one, with the same times of change (a
// file that was added, removed or renamed shows there), and while the program lists the same
// endings. Whatever is wrong with the cache (absent, damaged, not writable, no home), the folders
// are read instead.
#ifndef DATA_INDEX_CACHE_H_
#define DATA_INDEX_CACHE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "data/listing.h"

namespace data {

// The cache's file for the tree at `root`, in $XDG_CACHE_HOME or ~/.cache; empty if there is
// neither.
std::string IndexPath(const std::string& root);

// The names that WriteIndex was given for `root`, if they are still valid.
std::optional<Names> ReadIndex(const std::string& root);

// Keeps the names that were read from the folders since `began` (nanoseconds, CLOCK_REALTIME).
// Keeps nothing if a folder had just changed then: it could have changed again without a new time.
void WriteIndex(const std::string& root, const Tree& tree, int64_t began);

}  // namespace data

#endif  // DATA_INDEX_CACHE_H_
