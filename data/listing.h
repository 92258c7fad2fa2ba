// What folders and archives of images have in common: which names are images, and the classes that
// the names tell.
#ifndef DATA_LISTING_H_
#define DATA_LISTING_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace data {

// Whether a file of this name, perhaps with folders, is taken for an image: .jpg, .jpeg, .png and
// other usual endings in any case, no part of it hidden (`.x`). What it holds is found out when it
// is decoded.
bool HasImageName(absl::string_view name);

// Whether a folder's entry is taken for a tar archive: a file, or a link to one, whose name ends
// with .tar.
bool IsTar(const std::filesystem::directory_entry& entry);

// Names of images relative to where they lie, in order, with the class of each: the first folder of
// its name, as in torchvision's ImageFolder.
struct Listing {
  std::vector<std::string> names;    // sorted
  std::vector<int> labels;           // of each name; -1: in no folder
  std::vector<std::string> classes;  // sorted
};
Listing MakeListing(std::vector<std::string> names);

}  // namespace data

#endif  // DATA_LISTING_H_
