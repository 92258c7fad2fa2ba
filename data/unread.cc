#include "data/unread.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/codec.h"

namespace data {
namespace {

constexpr char kConvert[] = "convert it once, as \"Data in other forms\" in docs/data.md shows";
constexpr char kToTar[] =
    "convert the data set once: bazel run //tools:to_tar -- SOURCE OUT (docs/data.md)";
// The first command turns the pixels upright and may keep the tag that asks for it, which
// --exif=apply would follow once more.
constexpr char kHeifConvert[] =
    "heif-convert {} {}.png && exiftool -overwrite_original -Orientation= {}.png";
constexpr char kHeifPackages[] = "libheif-examples, libimage-exiftool-perl";
constexpr char kUnpack[] = "unpack it and give the folder";
constexpr char kSaveAsCsv[] = "save it as CSV";

struct Kind {
  std::string name;  // with its article
  std::vector<std::string> endings;
  // What to do, behind "which is not read; ". Of an image, the command that converts it, {} being
  // the file.
  std::string remedy;
  std::string package = "";  // of an image, the Debian packages of the command's programs
  std::string magic = "";    // what such files have at byte `magic_at`; empty: nothing is usual
  size_t magic_at = 0;
  bool is_read = false;  // if it is given itself

  bool is_image() const { return !package.empty(); }

  std::string Text() const {
    if (is_read) return absl::StrCat(name, "; give this file itself as data");
    return absl::StrCat(name, ", which is not read; ",
                        is_image() ? absl::StrCat("convert it to PNG, for example with: ", remedy,
                                                  " ({} is the file; Debian: ", package, ")")
                                   : remedy);
  }
};

// Those that tell more of what a folder holds come first.
const std::vector<Kind>& Kinds() {
  static const auto& kinds = *new std::vector<Kind>{
      {"an AVIF image", {".avif"}, kHeifConvert, kHeifPackages, "ftypavif", 4},
      {"a HEIC image", {".heic", ".heif"}, kHeifConvert, kHeifPackages, "ftyp", 4},
      {"a JPEG XL image", {".jxl"}, "djxl {} {}.png", "libjxl-tools", "\xFF\x0A"},
      {"a JPEG XL image", {}, "djxl {} {}.png", "libjxl-tools", "JXL ", 4},
      {"a DICOM image", {".dcm"}, "dcmj2pnm +on2 {} {}.png", "dcmtk", "DICM", 128},
      {"an SVG image", {".svg"}, "rsvg-convert -o {}.png {}", "librsvg2-bin", "<svg"},
      {"a camera raw image",
       {".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".rw2"},
       "dcraw_emu -w -T {}",
       "libraw-bin"},
      {"a Photoshop image", {".psd"}, "convert {}[0] {}.png", "imagemagick", "8BPS"},
      {"an OpenEXR image", {".exr"}, "convert {} {}.png", "imagemagick", "v/1\x01"},
      {"a Targa image", {".tga"}, "convert {} {}.png", "imagemagick"},

      {"a Parquet file", {".parquet"}, kToTar},
      {"an Arrow file, as Hugging Face's save_to_disk writes it", {".arrow"}, kToTar},
      {"a TFRecord file", {".tfrecord", ".tfrecords"}, kConvert},
      {"an LMDB database", {".mdb", ".lmdb"}, kToTar},
      {"an FFCV file", {".beton"}, kConvert},
      {"a shard of MosaicML's streaming", {".mds"}, kToTar},
      {"an HDF5 file", {".h5", ".hdf5"}, kConvert},
      {"a file of NumPy's arrays", {".npz"}, "", "", "", 0, /*is_read=*/true},
      {"an array of NumPy's", {".npy"}, "", "", "", 0, /*is_read=*/true},
      {"a MATLAB file", {".mat"}, kConvert},
      {"a pickle", {".pkl", ".pickle"}, kConvert},
      {"a file of tensors", {".pt", ".pth"}, kConvert},
      {"a RecordIO file of MXNet", {".rec"}, kConvert},
      {"a zip archive", {".zip"}, "", "", "", 0, /*is_read=*/true},
      {"a 7z archive", {".7z"}, kUnpack},
      {"a rar archive", {".rar"}, kUnpack},
      {"a packed archive",
       {".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst"},
       kUnpack},
      {"the index of a data set of MosaicML's streaming or litdata", {"index.json"}, kToTar},
      {"a JSON file", {".json"}, "write a list of the images and their labels instead: file,label"},
      {"a spreadsheet", {".xlsx", ".xls", ".ods"}, kSaveAsCsv},
      {"text", {".txt"}, "if it lists images, give --dataset=file_list"},
  };
  return kinds;
}

bool HasEnding(absl::string_view name, const Kind& kind) {
  return std::any_of(kind.endings.begin(), kind.endings.end(), [&](const std::string& ending) {
    return absl::EndsWithIgnoreCase(name, ending);
  });
}

// Whether a codec of the program reads images of the kind.
bool HasCodec(const Kind& kind) {
  const std::vector<std::string>& read = ImageEndings();
  return std::any_of(kind.endings.begin(), kind.endings.end(), [&](const std::string& ending) {
    return std::binary_search(read.begin(), read.end(), ending);
  });
}

}  // namespace

int UnreadRank(absl::string_view file) {
  const std::vector<Kind>& kinds = Kinds();
  for (size_t i = 0; i < kinds.size(); ++i) {
    if (HasEnding(file, kinds[i]) && !(kinds[i].is_image() && HasCodec(kinds[i]))) {
      return static_cast<int>(i);
    }
  }
  // tf.io writes train.tfrecord-00000-of-00010.
  return absl::StrContains(file, ".tfrecord-") ? UnreadRank(".tfrecord") : -1;
}

std::string UnreadForm(absl::string_view file) {
  const int rank = UnreadRank(file);
  return rank < 0 ? "" : absl::StrCat("is ", Kinds()[rank].Text());
}

std::string UnreadContents(absl::string_view bytes) {
  for (const Kind& kind : Kinds()) {
    if (!kind.magic.empty() && bytes.size() >= kind.magic_at &&
        absl::StartsWith(bytes.substr(kind.magic_at), kind.magic)) {
      return kind.Text();
    }
  }
  return "";
}

const std::vector<std::string>& UnreadEndings() {
  static const auto& endings = *[] {
    auto* all = new std::vector<std::string>;
    for (const Kind& kind : Kinds()) {
      if (!kind.is_image() || HasCodec(kind)) continue;
      all->insert(all->end(), kind.endings.begin(), kind.endings.end());
    }
    std::sort(all->begin(), all->end());
    return all;
  }();
  return endings;
}

absl::string_view UnreadEnding(absl::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == absl::string_view::npos) return "";
  for (const std::string& ending : UnreadEndings()) {
    if (absl::EqualsIgnoreCase(name.substr(dot), ending)) return ending;
  }
  return "";
}

std::string HowToConvert(absl::string_view unread_ending, absl::string_view folder) {
  for (const Kind& kind : Kinds()) {
    if (!kind.is_image() || !HasEnding(unread_ending, kind)) continue;
    return absl::StrCat("find '", folder, "' -iname '*", unread_ending, "' -exec ", kind.remedy,
                        " \\; (Debian package ", kind.package, ")");
  }
  return "";
}

}  // namespace data
