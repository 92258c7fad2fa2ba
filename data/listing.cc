#include "data/listing.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/match.h"

namespace data {

bool HasImageName(absl::string_view name) {
  if (absl::StartsWith(name, ".") || absl::StrContains(name, "/.")) return false;
  for (absl::string_view ending :
       {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".pgm", ".ppm", ".tif", ".tiff", ".webp"}) {
    if (absl::EndsWithIgnoreCase(name, ending)) return true;
  }
  return false;
}

bool IsTar(const std::filesystem::directory_entry& entry) {
  std::error_code error;
  return entry.path().extension() == ".tar" && entry.is_regular_file(error);
}

Listing MakeListing(std::vector<std::string> names) {
  Listing listing;
  std::sort(names.begin(), names.end());
  std::map<std::string, int> classes;
  for (const std::string& name : names) {
    const size_t slash = name.find('/');
    if (slash != std::string::npos) classes.emplace(name.substr(0, slash), 0);
  }
  for (auto& [name, index] : classes) {
    index = static_cast<int>(listing.classes.size());
    listing.classes.push_back(name);
  }
  listing.labels.reserve(names.size());
  for (const std::string& name : names) {
    const size_t slash = name.find('/');
    listing.labels.push_back(slash == std::string::npos ? -1 : classes[name.substr(0, slash)]);
  }
  listing.names = std::move(names);
  return listing;
}

}  // namespace data
