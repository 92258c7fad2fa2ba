#include "data/codecs/png_pixels.h"

#include <emmintrin.h>
#include <libdeflate.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <type_traits>

namespace data {
namespace {

// ---- Chunks -------------------------------------------------------------------------------------

constexpr size_t kHead = 8, kChecksum = 4;  // of a chunk: length and type; behind the contents
constexpr size_t kMaxChunk = 8'000'000;     // libpng's limit for chunks, other things being equal
constexpr absl::string_view kPixelsType = "IDAT", kEndType = "IEND";

uint32_t BigEndian(const char* p) {
  const auto* b = reinterpret_cast<const uint8_t*>(p);
  return uint32_t{b[0]} << 24 | uint32_t{b[1]} << 16 | uint32_t{b[2]} << 8 | b[3];
}

struct Chunk {
  absl::string_view type, contents;
  uint32_t checksum = 0;

  bool IsIntact() const {  // the checksum is that of type and contents
    return libdeflate_crc32(0, type.data(), type.size() + contents.size()) == checksum;
  }
};

// Takes the next chunk off `chunks`; false if it is not whole.
bool TakeChunk(absl::string_view& chunks, Chunk& chunk) {
  if (chunks.size() < kHead + kChecksum) return false;
  const size_t length = BigEndian(chunks.data());
  if (length > chunks.size() - kHead - kChecksum) return false;
  chunk = {chunks.substr(4, 4), chunks.substr(kHead, length),
           BigEndian(chunks.data() + kHead + length)};
  chunks.remove_prefix(kHead + length + kChecksum);
  return true;
}

// Returns the contents of the IDAT chunks at the beginning of `chunks`, in `joined` if there are
// several; nothing if one of them is damaged or cut, or if another one comes later.
absl::string_view Packed(absl::string_view chunks, std::string& joined) {
  absl::string_view packed;
  Chunk chunk;
  bool whole = TakeChunk(chunks, chunk);
  for (int i = 0; whole && chunk.type == kPixelsType; whole = TakeChunk(chunks, chunk), ++i) {
    if (!chunk.IsIntact()) return {};
    if (i == 0) {
      packed = chunk.contents;
      continue;
    }
    if (i == 1) joined = std::string(packed);
    joined.append(chunk.contents.data(), chunk.contents.size());
    packed = joined;
  }
  // What comes behind the pixels cannot spoil them. (A file may even end here.)
  for (; whole && chunk.type != kEndType; whole = TakeChunk(chunks, chunk)) {
    if (chunk.type == kPixelsType) return {};
  }
  // libpng counts the beginning of an IDAT chunk that is cut.
  if (!whole && chunks.size() >= kHead && chunks.substr(4, 4) == kPixelsType) return {};
  return packed;
}

// Unpacks a zlib stream to exactly `size` bytes.
bool Unpack(absl::string_view packed, uint8_t* to, size_t size) {
  // libpng refuses long chunks that hold more than such an image can need.
  const size_t needed = size + size / 8192 + 11;
  if (packed.empty() || packed.size() > std::max(needed, kMaxChunk)) return false;
  // zlib refuses a copy from further back than the window that the first byte states.
  const int window_bits = (static_cast<uint8_t>(packed[0]) >> 4) + 8;
  if (window_bits < 15 && size > size_t{1} << window_bits) return false;
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)>
      decompressor(libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  size_t used = 0;
  return decompressor != nullptr &&
         libdeflate_zlib_decompress_ex(decompressor.get(), packed.data(), packed.size(), to, size,
                                       &used, nullptr) == LIBDEFLATE_SUCCESS &&
         used == packed.size();
}

// ---- Filters ------------------------------------------------------------------------------------

// Each row begins with its filter, and each byte is the difference to a prediction from the byte of
// the pixel on the left, of the one above, and of the one on the upper left. kSize is the size of a
// pixel in bytes, 1 to 4.
enum Filter : uint8_t { kNone, kSub, kUp, kAverage, kPaeth };

// Of three bytes, four are read: what is in the fourth place is never stored.
template <int kSize>
__m128i Load(const uint8_t* p) {
  if constexpr (kSize == 1) return _mm_cvtsi32_si128(*p);
  std::conditional_t<kSize == 2, uint16_t, int32_t> pixel;
  std::memcpy(&pixel, p, sizeof(pixel));
  return _mm_cvtsi32_si128(pixel);
}

template <int kSize>
void Store(__m128i value, uint8_t* p) {
  const auto pixel = static_cast<uint32_t>(_mm_cvtsi128_si32(value));
  std::memcpy(p, &pixel, kSize);
}

void UndoUp(const uint8_t* from, const uint8_t* above, int64_t n, uint8_t* to) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m128i difference = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
    const __m128i up = _mm_loadu_si128(reinterpret_cast<const __m128i*>(above + i));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), _mm_add_epi8(difference, up));
  }
  for (; i < n; ++i) to[i] = static_cast<uint8_t>(from[i] + above[i]);
}

// The sums of each byte and those of the pixels on its left, in log2 steps.
template <int kSize>
__m128i PrefixSums(__m128i v) {
  v = _mm_add_epi8(v, _mm_slli_si128(v, kSize));
  v = _mm_add_epi8(v, _mm_slli_si128(v, 2 * kSize));
  if constexpr (4 * kSize < 16) v = _mm_add_epi8(v, _mm_slli_si128(v, 4 * kSize));
  if constexpr (8 * kSize < 16) v = _mm_add_epi8(v, _mm_slli_si128(v, 8 * kSize));
  return v;
}

// The last whole pixel of `v`, over and over.
template <int kSize>
__m128i RepeatLast(__m128i v) {
  v = _mm_srli_si128(v, 16 / kSize * kSize - kSize);
  if constexpr (kSize == 3) v = _mm_and_si128(v, _mm_cvtsi32_si128(0xFFFFFF));
  v = _mm_or_si128(v, _mm_slli_si128(v, kSize));
  v = _mm_or_si128(v, _mm_slli_si128(v, 2 * kSize));
  if constexpr (4 * kSize < 16) v = _mm_or_si128(v, _mm_slli_si128(v, 4 * kSize));
  if constexpr (8 * kSize < 16) v = _mm_or_si128(v, _mm_slli_si128(v, 8 * kSize));
  return v;
}

template <int kSize>
void UndoSub(const uint8_t* from, int64_t n, uint8_t* to) {
  constexpr int kWhole = 16 / kSize * kSize;  // of a vector
  __m128i left = _mm_setzero_si128();
  int64_t i = 0;
  for (; i + 16 <= n; i += kWhole) {
    const __m128i differences = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
    const __m128i sums = _mm_add_epi8(PrefixSums<kSize>(differences), left);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), sums);
    left = RepeatLast<kSize>(sums);
  }
  for (; i < n; ++i) to[i] = static_cast<uint8_t>(from[i] + (i < kSize ? 0 : to[i - kSize]));
}

template <int kSize>
void UndoAverage(const uint8_t* from, const uint8_t* above, int64_t n, uint8_t* to) {
  __m128i left = _mm_setzero_si128();
  for (int64_t i = 0; i < n; i += kSize) {
    const __m128i up = Load<kSize>(above + i);
    // The instruction rounds up.
    const __m128i odd = _mm_and_si128(_mm_xor_si128(left, up), _mm_set1_epi8(1));
    const __m128i average = _mm_sub_epi8(_mm_avg_epu8(left, up), odd);
    left = _mm_add_epi8(Load<kSize>(from + i), average);
    Store<kSize>(left, to + i);
  }
}

__m128i Absolute(__m128i v) { return _mm_max_epi16(v, _mm_sub_epi16(_mm_setzero_si128(), v)); }

__m128i Select(__m128i mask, __m128i yes, __m128i no) {
  return _mm_or_si128(_mm_and_si128(mask, yes), _mm_andnot_si128(mask, no));
}

// A pixel from its difference to that of its neighbours which is nearest to left + up - corner. All
// are in 16 bits a byte.
__m128i PaethPixel(__m128i difference, __m128i left, __m128i up, __m128i corner) {
  const __m128i to_left = _mm_sub_epi16(up, corner), to_up = _mm_sub_epi16(left, corner);
  const __m128i from_left = Absolute(to_left), from_up = Absolute(to_up);
  const __m128i from_corner = Absolute(_mm_add_epi16(to_left, to_up));
  const __m128i least = _mm_min_epi16(from_left, _mm_min_epi16(from_up, from_corner));
  const __m128i nearest = Select(_mm_cmpeq_epi16(least, from_left), left,
                                 Select(_mm_cmpeq_epi16(least, from_up), up, corner));
  return _mm_add_epi8(difference, nearest);
}

template <int kSize>
__m128i LoadWide(const uint8_t* p) {
  return _mm_unpacklo_epi8(Load<kSize>(p), _mm_setzero_si128());
}

template <int kSize>
void StoreWide(__m128i wide, uint8_t* p) {
  Store<kSize>(_mm_packus_epi16(wide, wide), p);
}

// One row, and the row below it if `below` is not null. Each pixel waits for the one on its left,
// so two rows take hardly longer than one: the second stays a pixel behind the first.
template <int kSize>
void UndoPaeth(const uint8_t* from, const uint8_t* below, const uint8_t* above, int64_t n,
               uint8_t* to, uint8_t* to_below) {
  __m128i left = _mm_setzero_si128(), corner = left, left_below = left, corner_below = left;
  for (int64_t i = 0; i < n; i += kSize) {
    const __m128i up = LoadWide<kSize>(above + i);
    const __m128i pixel = PaethPixel(LoadWide<kSize>(from + i), left, up, corner);
    if (below != nullptr && i > 0) {
      left_below = PaethPixel(LoadWide<kSize>(below + i - kSize), left_below, left, corner_below);
      StoreWide<kSize>(left_below, to_below + i - kSize);
      corner_below = left;
    }
    StoreWide<kSize>(pixel, to + i);
    left = pixel;
    corner = up;
  }
  if (below != nullptr) {
    const int64_t last = n - kSize;
    StoreWide<kSize>(PaethPixel(LoadWide<kSize>(below + last), left_below, left, corner_below),
                     to_below + last);
  }
}

// `filtered`: rows of a filter and n bytes. `zeros`: n of them, for what is above the first row.
template <int kSize>
bool UndoFilters(const uint8_t* filtered, const uint8_t* zeros, cv::Mat& pixels) {
  const int64_t n = int64_t{kSize} * pixels.cols;
  const uint8_t* above = zeros;
  for (int y = 0; y < pixels.rows; ++y, filtered += n + 1) {
    const uint8_t* from = filtered + 1;
    uint8_t* to = pixels.ptr(y);
    switch (filtered[0]) {
      case kNone:
        std::memcpy(to, from, n);
        break;
      case kSub:
        UndoSub<kSize>(from, n, to);
        break;
      case kUp:
        UndoUp(from, above, n, to);
        break;
      case kAverage:
        UndoAverage<kSize>(from, above, n, to);
        break;
      case kPaeth:
        if (y + 1 < pixels.rows && from[n] == kPaeth) {
          UndoPaeth<kSize>(from, from + n + 1, above, n, to, pixels.ptr(++y));
          filtered += n + 1;
          to = pixels.ptr(y);
        } else {
          UndoPaeth<kSize>(from, nullptr, above, n, to, nullptr);
        }
        break;
      default:
        return false;
    }
    above = to;
  }
  return true;
}

}  // namespace

bool ReadPngPixels(absl::string_view chunks, cv::Mat& pixels) {
  std::string joined;
  const absl::string_view packed = Packed(chunks, joined);
  if (packed.empty()) return false;
  const size_t n = pixels.elemSize() * pixels.cols, size = pixels.rows * (n + 1);
  constexpr size_t kSlack = 1;  // for Load
  const std::unique_ptr<uint8_t[]> memory(new (std::nothrow) uint8_t[n + size + kSlack]);
  if (memory == nullptr) return false;
  std::memset(memory.get(), 0, n);
  const uint8_t *zeros = memory.get(), *filtered = zeros + n;
  if (!Unpack(packed, memory.get() + n, size)) return false;
  switch (pixels.channels()) {
    case 1:
      return UndoFilters<1>(filtered, zeros, pixels);
    case 2:
      return UndoFilters<2>(filtered, zeros, pixels);
    case 3:
      return UndoFilters<3>(filtered, zeros, pixels);
    default:
      return UndoFilters<4>(filtered, zeros, pixels);
  }
}

}  // namespace data
