#include "data/codec.h"

#include <glog/logging.h>

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/unread.h"

namespace data {
namespace {

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

std::vector<std::string> EndingsOf(bool anything) {
  std::set<std::string> all;
  for (const auto& [name, codec] : AllCodecs()) {
    if (codec->HoldsAnything() != anything) continue;
    for (const std::string& ending : codec->Endings()) all.insert(ending);
  }
  return {all.begin(), all.end()};
}

}  // namespace

CodecRegistry& Codecs() {
  static CodecRegistry& table = *new CodecRegistry("codec");
  return table;
}

absl::Status Damaged(absl::string_view why) {
  return absl::DataLossError(absl::StrCat("is cut or damaged: ", why));
}

absl::Status OutOfMemory(absl::string_view detail) {
  const std::string in_brackets = detail.empty() ? "" : absl::StrCat(" (", detail, ")");
  return absl::ResourceExhaustedError(
      absl::StrCat("cannot be decoded: out of memory", in_brackets,
                   "; close other programs, or use fewer threads (--workers, --threads)"));
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
  const std::string form = UnreadContents(bytes);
  if (!form.empty()) return absl::DataLossError(absl::StrCat("seems to be ", form));
  return absl::DataLossError(absl::StrCat("is not an image that this program can read (",
                                          absl::StrJoin(Codecs().Names(), ", "), ")"));
}

const std::vector<std::string>& ImageEndings() {
  static const auto& endings = *new std::vector<std::string>(EndingsOf(/*anything=*/false));
  return endings;
}

const std::vector<std::string>& ArrayEndings() {
  static const auto& endings = *new std::vector<std::string>(EndingsOf(/*anything=*/true));
  return endings;
}

}  // namespace data
