#include "data/formats/array_labels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/utf8.h"
#include "data/label_text.h"
#include "tensors/npy.h"

namespace data {
namespace {

constexpr int64_t kExact = int64_t{1} << 53;  // whole numbers below are exact in a double

template <class T>
T Get(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

bool IsNumber(const tensors::NpyArray& array) {
  const int64_t w = array.width;
  switch (array.kind) {
    case 'b':
      return w == 1;
    case 'u':
    case 'i':
      return w == 1 || w == 2 || w == 4 || w == 8;
    case 'f':
      return w == 4 || w == 8;
  }
  return false;
}

// A value of an array that IsNumber accepts.
double NumberAt(const tensors::NpyArray& array, const char* at) {
  char bytes[8];
  std::memcpy(bytes, at, array.width);
  if (array.big_endian) std::reverse(bytes, bytes + array.width);
  if (array.kind == 'f') return array.width == 4 ? Get<float>(bytes) : Get<double>(bytes);
  switch (array.kind == 'i' ? -array.width : array.width) {  // negative: signed
    case -1:
      return Get<int8_t>(bytes);
    case -2:
      return Get<int16_t>(bytes);
    case -4:
      return Get<int32_t>(bytes);
    case -8:
      return static_cast<double>(Get<int64_t>(bytes));
    case 1:
      return Get<uint8_t>(bytes);
    case 2:
      return Get<uint16_t>(bytes);
    case 4:
      return Get<uint32_t>(bytes);
  }
  return static_cast<double>(Get<uint64_t>(bytes));
}

std::string Text(double number) {
  if (std::isnan(number)) return "";
  if (number == std::floor(number) && std::abs(number) < static_cast<double>(kExact)) {
    return absl::StrCat(static_cast<int64_t>(number));
  }
  return absl::StrCat(number);
}

// Text of fixed width, filled with zeros: bytes (S), or 32-bit characters (U).
std::string TextAt(const tensors::NpyArray& array, const char* at) {
  std::string text;
  if (array.kind == 'S') {
    text.assign(at, array.width);
    return text.substr(0, text.find_last_not_of('\0') + 1);
  }
  for (int64_t i = 0; i + 4 <= array.width; i += 4) {
    char bytes[4];
    std::memcpy(bytes, at + i, 4);
    if (array.big_endian) std::reverse(bytes, bytes + 4);
    const auto c = Get<uint32_t>(bytes);
    if (c == 0) break;
    base::AppendUtf8(std::min<uint32_t>(c, 0x1fffff), text);
  }
  return text;
}

// The class of a row of zeros and a single 1; -1 for any other.
int64_t OneHot(const tensors::NpyArray& array, const char* row, int64_t stride, int64_t columns) {
  int64_t found = -1;
  for (int64_t c = 0; c < columns; ++c) {
    const double value = NumberAt(array, row + c * stride);
    if (value == 0) continue;
    if (value != 1 || found >= 0) return -1;
    found = c;
  }
  return found;
}

// The labels as text. InvalidArgument, to be put behind the array's name, if they are no classes.
absl::StatusOr<std::vector<std::string>> Texts(const LoadedArray& array) {
  const tensors::NpyArray& header = array.header;
  const std::vector<int64_t>& shape = header.shape;
  const bool is_text = header.kind == 'S' || header.kind == 'U';
  if (header.kind == 'O') {
    return absl::InvalidArgumentError(
        "holds Python objects, a pickle, which is never run; save the labels as numbers or text: "
        "np.array(labels.tolist())");
  }
  if (!is_text && !IsNumber(header)) {
    return absl::InvalidArgumentError(
        absl::StrCat("is ", header.Text(), "; labels are numbers or text"));
  }
  if (shape.empty() || shape.size() > 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("is ", header.Text(), "; labels have the shape (N,) or (N, 1)"));
  }
  const int64_t n = shape[0], columns = shape.size() == 2 ? shape[1] : 1;
  const int64_t row = header.fortran_order ? header.width : columns * header.width;
  const int64_t stride = header.fortran_order ? n * header.width : header.width;
  std::vector<std::string> texts;
  for (int64_t i = 0; i < n; ++i) {
    const char* at = array.values.data() + i * row;
    if (columns == 1) {
      texts.push_back(is_text ? PlainLabel(TextAt(header, at)) : Text(NumberAt(header, at)));
      continue;
    }
    const int64_t label = is_text ? -1 : OneHot(header, at, stride, columns);
    if (label < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "is ", header.Text(), ": row ", i, " does not state one class of ", columns,
          "; a classifier requires one for each image (pretraining does not use labels)"));
    }
    texts.push_back(absl::StrCat(label));
  }
  return texts;
}

}  // namespace

absl::StatusOr<ArrayLabels> ReadArrayLabels(const ArrayFiles& files, const ChosenArrays& chosen,
                                            int64_t images) {
  ArrayLabels labels;
  labels.status = chosen.label_status;
  if (!chosen.labels) return labels;
  const std::string place = files.Place(*chosen.labels);
  const auto array = files.Load(*chosen.labels);
  if (!array.ok()) return array.status();
  const auto refuse = [&](absl::string_view why) {
    labels.status = absl::InvalidArgumentError(absl::StrCat("'", place, "' ", why));
    return labels;
  };
  auto texts = Texts(*array);
  if (!texts.ok()) return refuse(texts.status().message());
  if (static_cast<int64_t>(texts->size()) != images) {
    return refuse(absl::StrCat("has ", texts->size(), " labels for ", images, " images of '",
                               files.Place(chosen.images), "'"));
  }
  for (const size_t other : chosen.other_labels) {
    const auto more = files.Load(other);
    if (!more.ok()) continue;  // it is not asked for
    const auto more_texts = Texts(*more);
    if (more_texts.ok()) texts->insert(texts->end(), more_texts->begin(), more_texts->end());
  }
  TextClasses classes = ClassesOfTexts(*texts);
  if (classes.unusable >= 0) {
    return refuse(absl::StrCat("has the label ", (*texts)[classes.unusable], " in row ",
                               classes.unusable % std::max<int64_t>(images, 1), ", which ",
                               classes.why, "; labels are class numbers from 0, or names"));
  }
  labels.classes = std::move(classes.classes);
  if (!labels.classes.labels.empty()) labels.classes.labels.resize(images);
  return labels;
}

}  // namespace data
