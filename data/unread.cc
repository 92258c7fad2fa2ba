#include "data/unread.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/listing.h"

namespace data {
namespace {

constexpr char kConvert[] =
    ", which is not read; convert it once, as \"Data in other forms\" in docs/data.md shows";
constexpr char kToTar[] =
    ", which is not read; convert the data set once: bazel run //tools:to_tar -- SOURCE OUT "
    "(docs/data.md)";
constexpr char kUnpack[] = ", which is not read; unpack it and give the folder";
constexpr char kGive[] = "; give this file itself as data";

struct Form {
  absl::string_view ending;
  const char* name;
  const char* remedy;
};
constexpr Form kForms[] = {
    {".parquet", "a Parquet file", kToTar},
    {".arrow", "an Arrow file, as Hugging Face's save_to_disk writes it", kToTar},
    {".tfrecord", "a TFRecord file", kConvert},
    {".tfrecords", "a TFRecord file", kConvert},
    {".mdb", "an LMDB database", kToTar},
    {".lmdb", "an LMDB database", kToTar},
    {".beton", "an FFCV file", kConvert},
    {".mds", "a shard of MosaicML's streaming", kToTar},
    {".h5", "an HDF5 file", kConvert},
    {".hdf5", "an HDF5 file", kConvert},
    {".npz", "a file of NumPy's arrays", kGive},
    {".npy", "an array of NumPy's", kGive},
    {".mat", "a MATLAB file", kConvert},
    {".pkl", "a pickle", kConvert},
    {".pickle", "a pickle", kConvert},
    {".pt", "a file of tensors", kConvert},
    {".pth", "a file of tensors", kConvert},
    {".rec", "a RecordIO file of MXNet", kConvert},
    {".zip", "a zip archive", kGive},
    {".7z", "a 7z archive", kUnpack},
    {".rar", "a rar archive", kUnpack},
    {".tar.gz", "a packed archive", kUnpack},
    {".tgz", "a packed archive", kUnpack},
    {".tar.bz2", "a packed archive", kUnpack},
    {".tbz2", "a packed archive", kUnpack},
    {".tar.xz", "a packed archive", kUnpack},
    {".txz", "a packed archive", kUnpack},
    {".tar.zst", "a packed archive", kUnpack},
    {"index.json", "the index of a data set of MosaicML's streaming or litdata", kToTar},
    {".json", "a JSON file",
     ", which is not read; write a list of the images and their labels instead: file,label"},
    {".xlsx", "a spreadsheet", ", which is not read; save it as CSV"},
    {".xls", "a spreadsheet", ", which is not read; save it as CSV"},
    {".ods", "a spreadsheet", ", which is not read; save it as CSV"},
    {".txt", "text", ", which is not read; if it lists images, give --dataset=file_list"},
};

// Entries of folders that are looked at: a tree without images may be large.
constexpr int kMostEntries = 10'000;

// The place of a form in kForms, which puts the telling ones first; -1 for other files.
int FormOf(absl::string_view file) {
  for (size_t i = 0; i < std::size(kForms); ++i) {
    if (absl::EndsWithIgnoreCase(file, kForms[i].ending)) return static_cast<int>(i);
  }
  // tf.io writes train.tfrecord-00000-of-00010.
  return absl::StrContains(file, ".tfrecord-") ? FormOf(".tfrecord") : -1;
}

struct Search {
  int entries = 0;
  int form = -1;
  std::string path;

  void Look(const std::string& folder, int depth) {
    std::vector<std::string> folders;
    ForEachEntry(folder, [&](absl::string_view name, bool is_folder) {
      if (++entries > kMostEntries) return absl::ResourceExhaustedError("");
      std::string below = absl::StrCat(folder, absl::EndsWith(folder, "/") ? "" : "/", name);
      if (is_folder) {
        if (depth > 0) folders.push_back(std::move(below));
        return absl::OkStatus();
      }
      const int found = FormOf(name);
      if (found >= 0 && (form < 0 || found < form)) {
        form = found;
        path = std::move(below);
      }
      return absl::OkStatus();
    }).IgnoreError();  // it is a hint; what cannot be read gives none
    std::sort(folders.begin(), folders.end());
    for (const std::string& below : folders) Look(below, depth - 1);
  }
};

std::string Text(int form) { return absl::StrCat("is ", kForms[form].name, kForms[form].remedy); }

}  // namespace

std::string UnreadForm(absl::string_view file) {
  const int form = FormOf(file);
  return form < 0 ? "" : Text(form);
}

std::string UnreadFormIn(const std::string& folder) {
  Search search;
  search.Look(folder, /*depth=*/3);
  return search.form < 0 ? "" : absl::StrCat("'", search.path, "' ", Text(search.form));
}

}  // namespace data
