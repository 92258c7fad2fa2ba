#include "data/codec.h"

#include <glog/logging.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace data {
namespace {

// A kind of image without a codec in this repository. A codec that is linked comes first.
struct UnreadKind {
  const char* name;
  const char* magic;  // what such files have at byte `magic_at`; empty: there is nothing usual
  size_t magic_at;
  std::vector<std::string> endings;
  const char* command;  // for find -exec, {} being the file
  const char* package;  // Debian's
};

const std::vector<UnreadKind>& UnreadKinds() {
  static const auto& kinds = *new std::vector<UnreadKind>{
      {"AVIF", "ftypavif", 4, {".avif"}, "avifdec {} {}.png", "libavif-bin"},
      {"HEIC", "ftyp", 4, {".heic", ".heif"}, "heif-convert {} {}.png", "libheif-examples"},
      {"JPEG XL", "\xFF\x0A", 0, {".jxl"}, "djxl {} {}.png", "libjxl-tools"},
      {"JPEG XL", "JXL ", 4, {}, "djxl {} {}.png", "libjxl-tools"},
      {"JPEG 2000",
       "jP  ",
       4,
       {".j2k", ".jp2", ".jpx"},
       "opj_decompress -i {} -o {}.png",
       "libopenjp2-tools"},
      {"DICOM", "DICM", 128, {".dcm"}, "dcmj2pnm +on2 {} {}.png", "dcmtk"},
      {"SVG", "<svg", 0, {".svg"}, "rsvg-convert -o {}.png {}", "librsvg2-bin"},
      {"camera raw",
       "",
       0,
       {".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".rw2"},
       "dcraw_emu -w -T {}",
       "libraw-bin"},
      {"Photoshop", "8BPS", 0, {".psd"}, "convert {}[0] {}.png", "imagemagick"},
      {"OpenEXR", "v/1\x01", 0, {".exr"}, "convert {} {}.png", "imagemagick"},
      {"Targa", "", 0, {".tga"}, "convert {} {}.png", "imagemagick"},
  };
  return kinds;
}

using NamedCodec = std::pair<std::string, std::unique_ptr<Codec>>;

// Every codec, made once: plugins register themselves before main.
const std::vector<NamedCodec>& AllCodecs() {
  static const auto& all = *[] {
    auto* made = new std::vector<NamedCodec>;
    for (const std::string& name : Codecs().Names()) {
      made->emplace_back(name, Codecs().Create(name).value());
    }
    CHECK(!made->empty()) << "this program links no image codec; add //data/codecs:all to its deps";
    return made;
  }();
  return all;
}

}  // namespace

CodecRegistry& Codecs() {
  static CodecRegistry& table = *new CodecRegistry("codec");
  return table;
}

absl::Status Damaged(absl::string_view why) {
  return absl::DataLossError(absl::StrCat("is cut or damaged: ", why));
}

const Codec* FindCodec(absl::string_view bytes) {
  for (const auto& [name, codec] : AllCodecs()) {
    if (codec->Recognises(bytes)) return codec.get();
  }
  return nullptr;
}

std::string CodecName(absl::string_view bytes) {
  for (const auto& [name, codec] : AllCodecs()) {
    if (codec->Recognises(bytes)) return name;
  }
  return "";
}

absl::Status NotRecognised(absl::string_view bytes) {
  for (const UnreadKind& kind : UnreadKinds()) {
    const absl::string_view magic = kind.magic;
    if (magic.empty() || bytes.size() < kind.magic_at ||
        !absl::StartsWith(bytes.substr(kind.magic_at), magic)) {
      continue;
    }
    return absl::DataLossError(absl::StrCat(
        "seems to be a ", kind.name,
        " image, which this program does not read; convert it to PNG, ", "for example with: ",
        kind.command, " ({} is the file; Debian package ", kind.package, ")"));
  }
  return absl::DataLossError(absl::StrCat("is not an image that this program can read (",
                                          absl::StrJoin(Codecs().Names(), ", "), ")"));
}

const std::vector<std::string>& ImageEndings() {
  static const auto& endings = *[] {
    std::set<std::string> all;
    for (const auto& [name, codec] : AllCodecs()) {
      for (const std::string& ending : codec->Endings()) all.insert(ending);
    }
    return new std::vector<std::string>(all.begin(), all.end());
  }();
  return endings;
}

const std::vector<std::string>& UnreadEndings() {
  static const auto& endings = *[] {
    const std::vector<std::string>& read = ImageEndings();
    auto* all = new std::vector<std::string>;
    for (const UnreadKind& kind : UnreadKinds()) {
      for (const std::string& ending : kind.endings) {
        if (!std::binary_search(read.begin(), read.end(), ending)) all->push_back(ending);
      }
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
  for (const UnreadKind& kind : UnreadKinds()) {
    for (const std::string& ending : kind.endings) {
      if (ending != unread_ending) continue;
      return absl::StrCat("find '", folder, "' -iname '*", ending, "' -exec ", kind.command,
                          " \\; (Debian package ", kind.package, ")");
    }
  }
  return "";
}

}  // namespace data
