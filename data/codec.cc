#include "data/codec.h"

#include <glog/logging.h>

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace data {
namespace {

// Usual formats, for programs that link no codec for them. A codec that is linked comes first.
struct UsualFormat {
  const char* name;
  bool (*recognises)(absl::string_view bytes);
  std::vector<std::string> endings;
};

const std::vector<UsualFormat>& UsualFormats() {
  static const auto& formats = *new std::vector<UsualFormat>{
      {"HEIC or AVIF",
       [](absl::string_view b) { return b.size() >= 12 && b.substr(4, 4) == "ftyp"; },
       {}},
  };
  return formats;
}

// Every codec, made once: plugins register themselves before main.
const std::vector<std::unique_ptr<Codec>>& AllCodecs() {
  static const auto& all = *[] {
    auto* made = new std::vector<std::unique_ptr<Codec>>;
    for (const std::string& name : Codecs().Names()) {
      made->push_back(Codecs().Create(name).value());
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
  for (const auto& codec : AllCodecs()) {
    if (codec->Recognises(bytes)) return codec.get();
  }
  return nullptr;
}

absl::Status NotRecognised(absl::string_view bytes) {
  for (const UsualFormat& format : UsualFormats()) {
    if (format.recognises(bytes)) {
      return absl::DataLossError(absl::StrCat("seems to be a ", format.name,
                                              " image, which this program cannot read; convert it ",
                                              "to PNG"));
    }
  }
  return absl::DataLossError(absl::StrCat("is not an image that this program can read (",
                                          absl::StrJoin(Codecs().Names(), ", "), ")"));
}

const std::vector<std::string>& ImageEndings() {
  static const auto& endings = *[] {
    std::set<std::string> all;
    for (const auto& codec : AllCodecs()) {
      for (const std::string& ending : codec->Endings()) all.insert(ending);
    }
    for (const UsualFormat& format : UsualFormats()) {
      all.insert(format.endings.begin(), format.endings.end());
    }
    return new std::vector<std::string>(all.begin(), all.end());
  }();
  return endings;
}

}  // namespace data
