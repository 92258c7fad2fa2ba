#include "data/index_cache.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/files.h"
#include "data/binary.h"
#include "data/codec.h"
#include "data/unread.h"

namespace data {
namespace {

constexpr absl::string_view kMagic = "mocopp index 3\n";
// Nanoseconds, coarser than the times of any usual file system.
constexpr int64_t kSettled = 2'000'000'000;

// Which names were listed. A program with other codecs lists other files.
std::string ListedEndings() {
  return absl::StrCat(absl::StrJoin(ImageEndings(), " "), " ", absl::StrJoin(ArrayEndings(), " "),
                      " ", absl::StrJoin(UnreadEndings(), " "));
}

// Takes text that ends with a zero byte from the front of `bytes`; false if there is none.
bool TakeText(absl::string_view& bytes, absl::string_view* text) {
  const size_t end = bytes.find('\0');
  if (end == absl::string_view::npos) return false;
  *text = bytes.substr(0, end);
  bytes.remove_prefix(end + 1);
  return true;
}

// Takes the description of a folder from the front of `bytes`; false if the folder has changed.
bool TakeFolder(absl::string_view& bytes) {
  absl::string_view path;
  FolderState was;
  if (!TakeText(bytes, &path) || !Take(bytes, &was.device) || !Take(bytes, &was.inode) ||
      !Take(bytes, &was.modified) || !Take(bytes, &was.changed)) {
    return false;
  }
  const auto now = FolderState::Of(std::string(path));
  return now.ok() && now->device == was.device && now->inode == was.inode &&
         now->modified == was.modified && now->changed == was.changed;
}

}  // namespace

std::string IndexPath(const std::string& root) {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  std::string folder = cache != nullptr ? cache : "";
  if (folder.empty() && home != nullptr && *home != '\0') folder = absl::StrCat(home, "/.cache");
  if (folder.empty()) return "";
  std::error_code error;
  const std::string real = std::filesystem::canonical(root, error).string();
  if (error) return "";
  return absl::StrCat(folder, "/mocopp/index/", absl::Hex(Crc(real), absl::kZeroPad8));
}

std::optional<Names> ReadIndex(const std::string& root) {
  const std::string path = IndexPath(root);
  if (path.empty()) return std::nullopt;
  const auto file = base::ReadFile(path);
  if (!file.ok()) return std::nullopt;
  absl::string_view bytes = *file;
  uint32_t crc;
  if (bytes.substr(0, kMagic.size()) != kMagic) return std::nullopt;
  bytes.remove_prefix(kMagic.size());
  if (!Take(bytes, &crc) || crc != Crc(bytes)) return std::nullopt;
  absl::string_view held_root, endings, name;
  uint64_t folders, images;
  if (!TakeText(bytes, &held_root) || held_root != root || !TakeText(bytes, &endings) ||
      endings != ListedEndings() || !Take(bytes, &folders) || !Take(bytes, &images)) {
    return std::nullopt;
  }
  for (uint64_t i = 0; i < folders; ++i) {
    if (!TakeFolder(bytes)) return std::nullopt;
  }
  Names names;
  for (uint64_t i = 0; i < images; ++i) {
    if (!TakeText(bytes, &name)) return std::nullopt;
    names.Add(name);
  }
  return names;
}

void WriteIndex(const std::string& root, const Tree& tree, int64_t began) {
  const std::string path = IndexPath(root);
  if (path.empty()) return;
  std::string body;
  const absl::string_view zero("\0", 1);
  absl::StrAppend(&body, root, zero, ListedEndings(), zero);
  Append<uint64_t>(tree.folders.size(), body);
  Append<uint64_t>(tree.names.size(), body);
  for (const FolderState& folder : tree.folders) {
    if (std::max(folder.modified, folder.changed) > began - kSettled) return;
    absl::StrAppend(&body, folder.path, zero);
    Append(folder.device, body);
    Append(folder.inode, body);
    Append(folder.modified, body);
    Append(folder.changed, body);
  }
  for (int64_t i = 0; i < tree.names.size(); ++i) {
    absl::StrAppend(&body, tree.names[i], zero);
  }
  std::string head(kMagic);
  Append(Crc(body), head);
  // An error does no harm: without the cache the folders are read again.
  if (!base::MakeFolders(std::filesystem::path(path).parent_path()).ok()) return;
  base::WriteFileAtomically(path, head + body).IgnoreError();
}

}  // namespace data
