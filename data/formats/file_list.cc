// A list of image files: a .csv file whose lines are `file` or `file,label`. Paths are relative to
// the list's folder.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/dataset.h"
#include "data/formats/image_files.h"
#include "data/labels.h"
#include "data/listing.h"

namespace data {
namespace {

// Classes with numbers if all labels are numbers, and with names otherwise.
Classes ClassesOfLabels(const std::vector<std::string>& labels) {
  Classes classes;
  int64_t count = 0;
  for (const std::string& label : labels) {
    int64_t number;
    if (!absl::SimpleAtoi(label, &number) || number < 0 || number >= kMaxClasses) {
      count = -1;
      break;
    }
    count = std::max(count, number + 1);
    classes.labels.push_back(static_cast<int>(number));
  }
  if (count >= 0) {
    classes.names = NumberedClasses(count);
    return classes;
  }
  std::map<absl::string_view, int> numbers;
  for (const std::string& label : labels) numbers.emplace(label, 0);
  for (auto& [name, number] : numbers) {
    number = static_cast<int>(classes.names.size());
    classes.names.emplace_back(name);
  }
  classes.labels.clear();
  for (const std::string& label : labels) classes.labels.push_back(numbers[label]);
  return classes;
}

class FileListFormat : public Format {
 public:
  std::vector<std::string> FileEndings() const override { return {".csv"}; }

  absl::StatusOr<std::unique_ptr<Dataset>> Open(const std::string& path, Split,
                                                const DecodeOptions& decode) const override {
    auto lines = ReadCsv(path);
    if (!lines.ok()) return lines.status();
    Names names;
    std::vector<std::string> labels;
    for (const Line& line : *lines) {
      if (&line == &lines->front() && IsHeader(line)) continue;
      const auto wrong = [&](absl::string_view why) {
        return absl::InvalidArgumentError(absl::StrCat("'", path, "' line ", line.number, ": '",
                                                       absl::StrJoin(line.fields, ","), "' ", why));
      };
      const std::string& name = line.fields[0];
      if (!HasImageName(name.substr(name.rfind('/') + 1))) {
        return wrong("does not begin with an image's name (.jpg, .png, ...)");
      }
      if (line.fields.size() > 2) return wrong("has more than a file and a label");
      const std::string label = line.fields.size() == 2 ? line.fields[1] : "";
      if (!label.empty() && static_cast<int64_t>(labels.size()) != names.size()) {
        return wrong("has a label, but an earlier line has none");
      }
      if (label.empty() && !labels.empty())
        return wrong("has no label, but earlier lines have one");
      names.Add(name);
      if (!label.empty()) labels.push_back(label);
    }
    if (names.size() == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "'", path, "' names no images: no line begins with an image's name (.jpg, .png, ...)"));
    }
    return MakeImageFiles(path.substr(0, path.rfind('/') + 1), std::move(names),
                          ClassesOfLabels(labels), decode);
  }
};

absl::StatusOr<std::unique_ptr<Format>> MakeFileList(const registry::NoOptions&) {
  return std::make_unique<FileListFormat>();
}

REGISTER_PLUGIN(Datasets, "file_list",
                "a .csv file that lists image files, with or without labels: file,label",
                registry::NoOptions, MakeFileList);

}  // namespace
}  // namespace data
