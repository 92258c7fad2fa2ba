#include "data/formats/tar_samples.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "data/label_text.h"
#include "data/listing.h"

namespace data {
namespace {

constexpr int64_t kMaxClassBytes = 200;
constexpr int64_t kMaxJsonBytes = 1 << 20;

// A name's parts: "dir/img.v1.seg.png" has the stem "dir/img.v1.seg", the ending "png", and, as
// WebDataset splits it, the key "dir/img" and the extension "v1.seg.png".
struct NameParts {
  absl::string_view stem, ending, key, extension;

  explicit NameParts(absl::string_view name) {
    const size_t slash = name.rfind('/');
    const size_t base = slash == absl::string_view::npos ? 0 : slash + 1;
    const size_t first = name.find('.', base), last = name.rfind('.');
    const bool none = first == absl::string_view::npos;
    key = none ? name : name.substr(0, first);
    extension = none ? "" : name.substr(first + 1);
    stem = none ? name : name.substr(0, last);
    ending = none ? "" : name.substr(last + 1);
  }
};

enum class Kind { kImage, kClass, kJson, kOther };

// `arrays`: whether those are images.
Kind KindOf(const ArchiveEntry& entry, bool arrays) {
  if (HasImageName(entry.name) || (arrays && HasArrayName(entry.name))) return Kind::kImage;
  const std::string ending = absl::AsciiStrToLower(NameParts(entry.name).ending);
  if (ending == "cls" || ending == "class") return Kind::kClass;
  return ending == "json" || ending == "jsn" ? Kind::kJson : Kind::kOther;
}

using Indices = absl::InlinedVector<size_t, 1>;

// The files of one stem.
struct Stem {
  Indices images, classes, json;
  bool other = false;  // a file of another kind
  bool any_file() const { return other || !classes.empty() || !json.empty(); }
};

// An image as a part of its sample.
struct Member {
  size_t entry;
  std::string ending;  // of the name, after the sample's stem: "jpg", "seg.png"
};

class Archived {
 public:
  Archived(const Archive& archive, const std::vector<ArchiveEntry>& entries,
           const std::vector<std::string>& keys, Samples& all)
      : archive_(archive), entries_(entries), keys_(keys), all_(all), arrays_(ArraysAreImages()) {
    for (size_t i = 0; i < entries.size(); ++i) {
      Stem& stem = stems_[NameParts(entries[i].name).stem];
      switch (KindOf(i)) {
        case Kind::kImage:
          stem.images.push_back(i);
          break;
        case Kind::kClass:
          stem.classes.push_back(i);
          break;
        case Kind::kJson:
          stem.json.push_back(i);
          break;
        case Kind::kOther:
          stem.other = true;
      }
    }
  }

  absl::StatusOr<std::vector<SampleImage>> Choose() {
    Group();
    if (keys_.empty()) {
      if (absl::Status s = CheckLooseImages(); !s.ok()) return s;
    }
    std::vector<SampleImage> chosen;
    for (const absl::string_view stem : order_) {
      const auto images = ChooseOf(stem, samples_.at(stem));
      if (!images.ok()) return images.status();
      Label(stem, *images, chosen);
    }
    for (size_t i = 0; i < entries_.size(); ++i) {
      const bool has_image = samples_.count(NameParts(entries_[i].name).stem) > 0;
      if (!has_image && KindOf(i) == Kind::kClass) Lose(i);
    }
    std::sort(chosen.begin(), chosen.end(),
              [](const SampleImage& a, const SampleImage& b) { return a.entry < b.entry; });
    return chosen;
  }

 private:
  using Members = std::vector<Member>;

  const std::string& name(size_t entry) const { return entries_[entry].name; }
  Kind KindOf(size_t entry) const { return data::KindOf(entries_[entry], arrays_); }

  // Whether arrays are images: --image-key chooses them, or there are no others.
  bool ArraysAreImages() const {
    if (!keys_.empty()) {
      return std::any_of(keys_.begin(), keys_.end(),
                         [](const std::string& key) { return HasArrayName("x." + key); });
    }
    return std::none_of(entries_.begin(), entries_.end(),
                        [](const ArchiveEntry& entry) { return HasImageName(entry.name); });
  }
  std::string Path(size_t entry) const { return absl::StrCat(archive_.path(), ":", name(entry)); }

  // The shortest beginning of the image's stem that is the stem of other files, or else the stem.
  absl::string_view SampleOf(const NameParts& parts) const {
    if (!stems_.at(parts.stem).classes.empty()) return parts.stem;
    for (size_t dot = parts.key.size(); dot < parts.stem.size();
         dot = std::min(parts.stem.find('.', dot + 1), parts.stem.size())) {
      const auto found = stems_.find(parts.stem.substr(0, dot));
      if (found == stems_.end()) continue;
      if (found->second.any_file() || !found->second.images.empty()) return found->first;
    }
    return parts.stem;
  }

  void Group() {
    for (size_t i = 0; i < entries_.size(); ++i) {
      if (KindOf(i) != Kind::kImage) continue;
      const absl::string_view sample = SampleOf(NameParts(entries_[i].name));
      Members& members = samples_[sample];
      if (members.empty()) order_.push_back(sample);
      members.push_back({i, absl::AsciiStrToLower(name(i).substr(sample.size() + 1))});
    }
  }

  absl::Status SeveralImages(absl::string_view sample,
                             const std::vector<std::string>& endings) const {
    return absl::InvalidArgumentError(
        absl::StrCat("'", archive_.path(), "': the sample '", sample, "' has the images ",
                     absl::StrJoin(endings, ", "), "; choose with --image-key=", endings[0],
                     ", or take several with --image-key=", endings[0], ",", endings[1]));
  }

  // Images with further parts in their names, and nothing beside them to say where a key ends:
  // they are samples of their own (cat.0.jpg, cat.1.jpg), unless several keys have the same parts
  // (a.left.png, a.right.png, b.left.png, b.right.png).
  absl::Status CheckLooseImages() const {
    std::map<absl::string_view, std::vector<absl::string_view>> extensions;
    for (const absl::string_view stem : order_) {
      const NameParts parts(name(samples_.at(stem)[0].entry));
      const Stem& files = stems_.at(stem);
      if (parts.stem != stem || parts.stem == parts.key || files.any_file()) continue;
      const absl::string_view last = parts.stem.substr(parts.stem.rfind('.') + 1);
      if (std::all_of(last.begin(), last.end(), absl::ascii_isdigit)) continue;
      extensions[parts.key].push_back(parts.extension);
    }
    absl::flat_hash_map<absl::string_view, absl::string_view> first_key;
    for (const auto& [key, all] : extensions) {
      const std::set<std::string> of_key(all.begin(), all.end());
      if (of_key.size() < 2) continue;
      for (const absl::string_view extension : all) {
        if (first_key.emplace(extension, key).first->second == key) continue;
        return SeveralImages(key, {of_key.begin(), of_key.end()});
      }
    }
    return absl::OkStatus();
  }

  bool IsKey(const Member& member) const {
    const std::string extension = absl::AsciiStrToLower(NameParts(name(member.entry)).extension);
    return std::any_of(keys_.begin(), keys_.end(), [&](const std::string& key) {
      return member.ending == key || extension == key;
    });
  }

  // The members that are used, in the archive's order.
  absl::StatusOr<Indices> ChooseOf(absl::string_view sample, const Members& members) {
    Indices chosen;
    if (!keys_.empty()) {
      for (const Member& member : members) {
        if (IsKey(member)) chosen.push_back(member.entry);
      }
      if (chosen.empty()) ++all_.without_key;
    } else {
      // "jpg" comes before "seg.png": the number of parts decides.
      const auto has_second = [](const Member& m) { return absl::StrContains(m.ending, '.'); };
      const bool any = std::any_of(members.begin(), members.end(),
                                   [&](const Member& m) { return !has_second(m); });
      std::vector<std::string> endings;
      for (const Member& member : members) {
        if (any && has_second(member)) {
          ++all_.left_out[member.ending];
          continue;
        }
        chosen.push_back(member.entry);
        if (std::find(endings.begin(), endings.end(), member.ending) == endings.end()) {
          endings.push_back(member.ending);
        }
      }
      if (endings.size() > 1) return SeveralImages(sample, endings);
    }
    return chosen;
  }

  void Lose(size_t label) {
    if (all_.lost_labels++ == 0) all_.lost_label = Path(label);
  }

  void Refuse(absl::string_view what) {
    if (all_.label_status.ok()) all_.label_status = absl::InvalidArgumentError(what);
  }

  // Whether the entry's name begins with the sample's stem and a dot.
  bool IsOf(absl::string_view sample, size_t entry) const {
    const absl::string_view text = name(entry);
    return text.size() > sample.size() && text[sample.size()] == '.' &&
           absl::StartsWith(text, sample);
  }

  // The images of a sample to which a label at `label` belongs: those beside it, with nothing of
  // other samples in between; or else the nearest. Empty, after Refuse, if that is not one sample.
  Indices Nearest(absl::string_view sample, const Indices& images, size_t label) {
    if (images.size() == 1) return images;
    size_t first = label, last = label;
    while (first > 0 && IsOf(sample, first - 1)) --first;
    while (last + 1 < entries_.size() && IsOf(sample, last + 1)) ++last;
    const auto distance = [&](size_t i) {
      if (i >= first && i <= last) return size_t{0};
      return i < label ? label - i : i - label;
    };
    // Those that are nearest, for each name of the sample's images.
    std::map<std::string, Indices> nearest;
    for (const size_t image : images) {
      Indices& best = nearest[absl::AsciiStrToLower(name(image))];
      if (!best.empty() && distance(image) > distance(best[0])) continue;
      if (!best.empty() && distance(image) < distance(best[0])) best.clear();
      best.push_back(image);
    }
    Indices found;
    for (const auto& [lower_case, best] : nearest) {
      if (best.size() > 1) {
        Refuse(absl::StrCat("'", Path(label), "' is as near to '", name(best[0]), "' at entry ",
                            best[0] + 1, " of the archive as to '", name(best[1]), "' at entry ",
                            best[1] + 1, "; write each key once, or each label beside its image"));
        return {};
      }
      found.push_back(best[0]);
    }
    return found;
  }

  // The class that a file states; none in a .json without one.
  absl::StatusOr<std::optional<int>> ReadLabel(size_t entry, bool json) const {
    const ArchiveEntry& file = entries_[entry];
    std::string text(std::min(file.size, json ? kMaxJsonBytes : kMaxClassBytes), '\0');
    if (absl::Status s = archive_.Read(file.offset, text.size(), text.data()); !s.ok()) return s;
    if (json) {
      const nlohmann::json parsed = nlohmann::json::parse(text, nullptr, /*exceptions=*/false);
      const nlohmann::json* value = nullptr;
      for (const char* field : {"label", "class", "category", "target", "cls"}) {
        if (!parsed.is_object() || value != nullptr) break;
        if (const auto found = parsed.find(field); found != parsed.end()) value = &*found;
      }
      if (value == nullptr || value->is_null()) return std::nullopt;
      text = value->is_string() ? value->get<std::string>() : value->dump();
    }
    const auto label = ReadClass(text);
    if (label.ok()) return *label;
    return absl::InvalidArgumentError(
        absl::StrCat("'", Path(entry), "' ", label.status().message()));
  }

  // Adds the sample's chosen images, with their labels.
  void Label(absl::string_view sample, const Indices& images, std::vector<SampleImage>& chosen) {
    const size_t begin = chosen.size();
    for (const size_t image : images) chosen.push_back({image});
    const Stem& files = stems_.at(sample);
    std::vector<size_t> label_of(images.size());
    std::vector<bool> stated(images.size());
    const auto add = [&](size_t entry, int label) {
      for (const size_t image : Nearest(sample, images, entry)) {
        const size_t i = std::find(images.begin(), images.end(), image) - images.begin();
        if (stated[i] && chosen[begin + i].label != label) {
          Refuse(absl::StrCat("'", Path(image), "' has two labels, in '", name(label_of[i]),
                              "' at entry ", label_of[i] + 1, " and in '", name(entry),
                              "' at entry ", entry + 1, " of the archive; write one"));
          chosen[begin + i].label = -1;
          continue;
        }
        stated[i] = true;
        label_of[i] = entry;
        chosen[begin + i].label = label;
      }
    };
    for (const size_t entry : files.classes) {
      if (images.empty()) {
        Lose(entry);
        continue;
      }
      all_.has_labels = true;
      if (const auto label = ReadLabel(entry, /*json=*/false); label.ok()) {
        add(entry, **label);
      } else {
        Refuse(label.status().message());
      }
    }
    for (const size_t entry : files.json) {
      if (images.empty()) continue;
      const auto label = ReadLabel(entry, /*json=*/true);
      if (label.ok() && !label->has_value()) continue;
      all_.has_labels = true;
      if (label.ok()) {
        add(entry, **label);
      } else if (files.classes.empty()) {  // beside a .cls it may say the class in words
        Refuse(label.status().message());
      }
    }
  }

  const Archive& archive_;
  const std::vector<ArchiveEntry>& entries_;
  const std::vector<std::string>& keys_;
  Samples& all_;
  const bool arrays_;
  absl::flat_hash_map<absl::string_view, Stem> stems_;
  absl::flat_hash_map<absl::string_view, Members> samples_;  // by stem
  std::vector<absl::string_view> order_;                     // their stems, as they come
};

}  // namespace

absl::StatusOr<int> ReadClass(absl::string_view text) {
  const absl::string_view whole = absl::StripAsciiWhitespace(text);
  const std::string number = PlainLabel(text);
  double value;
  if (number.find_first_not_of("+-.0123456789") != std::string::npos ||
      !absl::SimpleAtod(number, &value) || value != std::floor(value) || value < 0 ||
      value >= kMaxClasses) {
    return absl::InvalidArgumentError(absl::StrCat(
        "holds '", whole.substr(0, 40), "'; a class is a number, 0 to ", kMaxClasses - 1));
  }
  return static_cast<int>(value);
}

absl::StatusOr<std::vector<SampleImage>> AddSamples(const Archive& archive,
                                                    const std::vector<ArchiveEntry>& entries,
                                                    const std::vector<std::string>& keys,
                                                    Samples& samples) {
  return Archived(archive, entries, keys, samples).Choose();
}

std::vector<std::string> Samples::Notes(const std::string& path,
                                        const std::vector<std::string>& keys) const {
  std::vector<std::string> notes;
  if (!left_out.empty()) {
    int64_t images = 0;
    std::vector<std::string> endings;
    for (const auto& [ending, count] : left_out) {
      images += count;
      endings.push_back(ending);
    }
    constexpr size_t kShown = 5;
    const bool more = endings.size() > kShown;
    if (more) endings.resize(kShown);
    notes.push_back(absl::StrCat("left out of '", path, "': ", images,
                                 " further images of samples (", absl::StrJoin(endings, ", "),
                                 more ? ", ..." : "", "); --image-key=", endings[0],
                                 " would use these, and several endings with commas several"));
  }
  if (without_key > 0) {
    notes.push_back(
        absl::StrCat("left out of '", path, "': ", without_key,
                     " samples without an image --image-key=", absl::StrJoin(keys, ",")));
  }
  if (lost_labels > 0) {
    notes.push_back(absl::StrCat("left out of '", path, "': ", lost_labels,
                                 " labels without an image that is used, such as '", lost_label,
                                 "'"));
  }
  return notes;
}

}  // namespace data
