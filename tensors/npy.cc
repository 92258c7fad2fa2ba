#include "tensors/npy.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <limits>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace tensors {
namespace {

constexpr absl::string_view kMagic("\x93NUMPY", 6);
constexpr int64_t kMaxColumns = 1 << 24;
constexpr size_t kOwnHeader = 128;  // bytes; leaves room for any number of rows

struct TypeName {
  NpyType type;
  const char* descr;
  int64_t width;
};
constexpr TypeName kTypes[] = {
    {NpyType::kFloat16, "<f2", 2}, {NpyType::kFloat32, "<f4", 4}, {NpyType::kFloat64, "<f8", 8}};

const TypeName& NameOf(NpyType type) { return kTypes[static_cast<int>(type)]; }

absl::Status Unsuitable(const std::string& path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("'", path, "' ", what));
}

// Returns everything after `'key':` in the header, a Python dict; nothing if there is no such key.
// NumPy always writes the keys in the same order; other programs may not.
std::optional<absl::string_view> Value(absl::string_view dict, absl::string_view key) {
  for (const char quote : {'\'', '"'}) {
    const std::string quoted =
        absl::StrCat(absl::string_view(&quote, 1), key, absl::string_view(&quote, 1));
    const size_t at = dict.find(quoted);
    if (at == absl::string_view::npos) continue;
    absl::string_view rest = absl::StripLeadingAsciiWhitespace(dict.substr(at + quoted.size()));
    if (!absl::ConsumePrefix(&rest, ":")) continue;
    return absl::StripLeadingAsciiWhitespace(rest);
  }
  return std::nullopt;
}

// Reads the numbers in the parentheses of "(3, 4), ..." or "(3,)".
std::optional<std::vector<int64_t>> ReadShape(absl::string_view text) {
  const size_t end = text.find(')');
  if (!absl::ConsumePrefix(&text, "(") || end == absl::string_view::npos) return std::nullopt;
  std::vector<int64_t> shape;
  for (absl::string_view part : absl::StrSplit(text.substr(0, end - 1), ',')) {
    part = absl::StripAsciiWhitespace(part);
    if (part.empty()) continue;
    absl::ConsumeSuffix(&part, "L");  // of Python 2
    int64_t size;
    if (!absl::SimpleAtoi(part, &size) || size < 0) return std::nullopt;
    shape.push_back(size);
  }
  return shape;
}

std::string OwnHeader(NpyType type, int64_t rows, int64_t columns) {
  std::string text =
      absl::StrCat("{'descr': '", NameOf(type).descr, "', 'fortran_order': False, 'shape': (", rows,
                   ", ", columns, "), }");
  const size_t room = kOwnHeader - kMagic.size() - 4;
  text.resize(room - 1, ' ');
  const char version_and_size[] = {1, 0, static_cast<char>(room), 0};
  return absl::StrCat(kMagic, absl::string_view(version_and_size, 4), text, "\n");
}

float FromHalf(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16, magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00) return std::bit_cast<float>(sign | 0x7f800000 | magnitude << 13);
  if (magnitude < 0x0400) {  // below 2^-14: multiples of 2^-24
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude * 0x1p-24f));
  }
  return std::bit_cast<float>(sign | ((magnitude << 13) + 0x38000000));
}

// Rounds to nearest, ties to even; infinite from 65520.
uint16_t ToHalf(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint16_t sign = bits >> 16 & 0x8000;
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;   // not a number
  if (magnitude >= 0x477ff000) return sign | 0x7c00;  // 65520
  if (magnitude < 0x38800000) {  // below 2^-14: next to 0.5, floats are multiples of 2^-24, too
    const float beside = std::bit_cast<float>(magnitude) + 0.5f;
    return sign | static_cast<uint16_t>(std::bit_cast<uint32_t>(beside) - 0x3f000000);
  }
  return sign |
         static_cast<uint16_t>((magnitude + 0xfff + (magnitude >> 13 & 1) - 0x38000000) >> 13);
}

}  // namespace

int64_t NpyHeader::width() const { return NameOf(type).width; }

int64_t NpyArray::count() const {
  int64_t all = 1;
  for (const int64_t size : shape) all *= size;
  return all;
}

std::string NpyArray::Text() const {
  const char* name = kind == 'u'   ? "uint"
                     : kind == 'i' ? "int"
                     : kind == 'f' ? "float"
                     : kind == 'c' ? "complex"
                                   : "";
  const std::string type = *name != '\0' ? absl::StrCat(name, 8 * width)
                           : kind == 'b' ? "bool"
                           : kind == 'O' ? "object"
                           : kind == 0   ? "record"
                                         : dtype;
  return absl::StrCat(big_endian ? "big-endian " : "", type, " of shape (",
                      absl::StrJoin(shape, ", "), shape.size() == 1 ? ",)" : ")");
}

absl::StatusOr<NpyArray> ReadNpyArray(const std::string& path, absl::string_view bytes,
                                      int64_t file_size) {
  if (!absl::StartsWith(bytes, kMagic) || bytes.size() < kMagic.size() + 2) {
    return Unsuitable(path, "is not a .npy file; write the array with numpy.save");
  }
  // Format 1.0 has 2 bytes for the size of what follows, 2.0 and 3.0 have 4.
  const size_t counted = bytes[6] == 1 ? 2 : 4, begin = kMagic.size() + 2 + counted;
  if (bytes[6] < 1 || bytes[6] > 3) {
    return Unsuitable(path, absl::StrCat("has version ", static_cast<unsigned char>(bytes[6]),
                                         " of the .npy format; versions 1 to 3 are supported"));
  }
  uint64_t size = 0;
  for (size_t i = 0; i < counted && begin <= bytes.size(); ++i) {
    size |= uint64_t{static_cast<unsigned char>(bytes[8 + i])} << 8 * i;
  }
  if (begin > bytes.size() || size > bytes.size() - begin) {
    return absl::DataLossError(
        absl::StrCat("'", path, "' is truncated: it ends within its header"));
  }
  const absl::string_view dict = bytes.substr(begin, size);
  const auto descr = Value(dict, "descr"), order = Value(dict, "fortran_order"),
             shape_text = Value(dict, "shape");
  auto shape = shape_text ? ReadShape(*shape_text) : std::nullopt;
  if (!descr || !order || !shape) {
    return Unsuitable(path, "has a header without descr, fortran_order and shape");
  }
  NpyArray array;
  array.shape = *std::move(shape);
  array.fortran_order = absl::StartsWith(*order, "True");
  array.offset = static_cast<int64_t>(begin + size);
  absl::string_view type = *descr;
  const absl::string_view quote = type.substr(0, 1);
  const bool is_plain = (quote == "'" || quote == "\"") && type.find(quote, 1) != type.npos;
  array.dtype = std::string(is_plain ? type.substr(1, type.find(quote, 1) - 1)
                                     : type.substr(0, type.find(']') + 1));
  type = array.dtype;
  if (is_plain && !type.empty()) {
    array.big_endian = absl::ConsumePrefix(&type, ">");
    if (!array.big_endian && absl::StrContains("<|=", type.substr(0, 1))) type.remove_prefix(1);
    array.kind = type.empty() ? '\0' : type[0];
    if (!type.empty()) type.remove_prefix(1);
    // Times have their unit behind the number.
    if (!absl::SimpleAtoi(type.substr(0, type.find('[')), &array.width) || array.width < 0 ||
        array.kind == 'O') {
      array.width = 0;
    }
    constexpr int64_t kUnicode = 4;  // bytes of a character
    if (array.kind == 'U' && array.width > file_size) array.width = file_size;
    if (array.kind == 'U') array.width *= kUnicode;
  }
  // The number of values fits 64 bits, of whatever width they are; an array without dimensions has
  // one.
  constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
  const bool is_empty = std::count(array.shape.begin(), array.shape.end(), 0) > 0;
  const int64_t room = std::max<int64_t>(file_size - array.offset, 0);
  int64_t values = array.width > 0 && !is_empty ? room / array.width : kAny;
  bool fits = values > 0;
  for (const int64_t n : array.shape) {
    if (n == 0) continue;
    fits &= n <= values;
    values /= n;
  }
  if (!fits) {
    return absl::DataLossError(absl::StrCat("'", path, "' is truncated: it has ", file_size,
                                            " bytes, too few for ", array.Text()));
  }
  return array;
}

absl::StatusOr<NpyHeader> ReadNpyHeader(const std::string& path, absl::string_view bytes) {
  const auto array = ReadNpyArray(path, bytes, static_cast<int64_t>(bytes.size()));
  if (!array.ok()) return array.status();
  const auto type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                 [&](const TypeName& name) { return array->dtype == name.descr; });
  if (type == std::end(kTypes)) {
    return Unsuitable(path, absl::StrCat("holds values of type '", array->dtype,
                                         "'; convert them: x.astype('<f4'), or '<f2' or '<f8'"));
  }
  if (array->shape.size() != 2) {
    return Unsuitable(
        path, absl::StrCat("has ", array->shape.size(),
                           " dimensions; features must be a matrix with one row per image"));
  }
  if (array->fortran_order) {
    return Unsuitable(path, "is in Fortran order; save numpy.ascontiguousarray(x)");
  }
  NpyHeader header;
  header.type = type->type;
  header.rows = array->shape[0];
  header.columns = array->shape[1];
  header.offset = array->offset;
  if (header.columns < 1 || header.columns > kMaxColumns) {
    return Unsuitable(
        path, absl::StrCat("has ", header.columns, " columns; it must have 1 to ", kMaxColumns));
  }
  return header;
}

absl::StatusOr<NpyMatrix> NpyMatrix::Open(const std::string& path) {
  auto file = base::MappedFile::Open(path);
  if (!file.ok()) return file.status();
  const auto header = ReadNpyHeader(path, file->bytes());
  if (!header.ok()) return header.status();
  return NpyMatrix(path, *std::move(file), *header);
}

void NpyMatrix::Read(int64_t from, int64_t count, float* out) const {
  const int64_t row = header_.columns * header_.width(), values = count * header_.columns;
  const char* at = file_->bytes().data() + header_.offset + from * row;
  switch (header_.type) {
    case NpyType::kFloat32:
      if (values > 0) std::memcpy(out, at, values * sizeof(float));
      break;
    case NpyType::kFloat16:
      for (int64_t i = 0; i < values; ++i) {
        uint16_t half;
        std::memcpy(&half, at + 2 * i, 2);
        out[i] = FromHalf(half);
      }
      break;
    case NpyType::kFloat64:
      for (int64_t i = 0; i < values; ++i) {
        double value;
        std::memcpy(&value, at + 8 * i, 8);
        out[i] = static_cast<float>(value);
      }
  }
}

void NpyMatrix::Release(int64_t row) const {
  const int64_t page = sysconf(_SC_PAGESIZE);
  const int64_t end = header_.offset + row * header_.columns * header_.width();
  // Only advice: if the system ignores it, it can still reclaim the memory.
  (void)madvise(const_cast<char*>(file_->bytes().data()), end / page * page, MADV_DONTNEED);
}

absl::StatusOr<std::unique_ptr<NpyWriter>> NpyWriter::Open(const std::string& path, NpyType type,
                                                           int64_t columns, int64_t rows) {
  int64_t held = 0;
  if (rows > 0) {
    const auto begun = NpyMatrix::Open(path);
    if (!begun.ok()) return begun.status();
    held = begun->rows();
    auto bytes = base::MappedFile::Open(path);
    if (!bytes.ok()) return bytes.status();
    if (held < rows || !absl::StartsWith(bytes->bytes(), OwnHeader(type, held, columns))) {
      return Unsuitable(path,
                        absl::StrCat("is not the file that was started: expected at least ", rows,
                                     " rows of ", columns, " values of type ", NameOf(type).descr));
    }
  }
  auto file = base::GrowingFile::Open(path);
  if (!file.ok()) return file.status();
  const int64_t end = kOwnHeader + rows * columns * NameOf(type).width;
  std::unique_ptr<NpyWriter> writer(new NpyWriter(path, *std::move(file), type, columns, rows));
  if (rows == 0) {
    if (absl::Status s = writer->file_.Cut(0); !s.ok()) return s;
    if (absl::Status s = writer->file_.Append(OwnHeader(type, 0, columns)); !s.ok()) return s;
  }
  // The header comes first, so that the file is never shorter than the header says.
  if (absl::Status s = writer->Sync(); !s.ok()) return s;
  if (absl::Status s = writer->file_.Cut(end); !s.ok()) return s;
  return writer;
}

absl::Status NpyWriter::Append(const float* values, int64_t count) {
  const int64_t n = count * columns_;
  absl::string_view bytes(reinterpret_cast<const char*>(values), n * sizeof(float));
  std::vector<uint16_t> halves;
  if (type_ == NpyType::kFloat16) {
    halves.resize(n);
    for (int64_t i = 0; i < n; ++i) {
      halves[i] = ToHalf(values[i]);
      if ((halves[i] & 0x7fff) == 0x7c00) {
        return Unsuitable(path_,
                          absl::StrCat("cannot hold ", values[i], " of row ", rows_ + i / columns_,
                                       ": the largest float16 value is 65504; use float32"));
      }
    }
    bytes = {reinterpret_cast<const char*>(halves.data()), halves.size() * sizeof(uint16_t)};
  }
  absl::Status s = file_.Append(bytes);
  if (s.ok()) rows_ += count;
  return s;
}

absl::Status NpyWriter::Sync() {
  if (absl::Status s = file_.Sync(); !s.ok()) return s;
  if (absl::Status s = file_.Overwrite(0, OwnHeader(type_, rows_, columns_)); !s.ok()) return s;
  return file_.Sync();
}

}  // namespace tensors
