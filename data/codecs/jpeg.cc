// JPEG, by libjpeg.
//
// An image is damaged if pixels are missing: if libjpeg had to make up coefficients, because the
// data of a scan end too early or hold a code that does not exist; if a restart interval or a scan
// is missing; or if zeros stand where data were. What libjpeg finds odd beside that is read as it
// reads it, and as Pillow does. Everything here is about telling the two apart.
#include <cstdio>
//
#include <jpeglib.h>  // needs FILE
//
#include <jerror.h>  // needs the settings that jpeglib.h includes

#include <algorithm>
#include <csetjmp>
#include <cstdint>
#include <cstring>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "data/codec.h"
#include "data/orientation.h"

namespace data {
namespace {

// More scans than any encoder writes; a small file with many of them takes hours.
constexpr int kMaxScans = 500;

// Bytes of a run of zeros within the pixels' data that hints at a hole in the file. Flat images
// have such runs, too, but their data end where their pixels do.
constexpr size_t kHole = 32;

constexpr char kScansAreMissing[] = "scans are missing";
constexpr char kHoleInData[] = "there is a hole in its data";

int64_t ZerosBefore(absl::string_view bytes, size_t end) {
  size_t begin = end;
  while (begin > 0 && bytes[begin - 1] == '\0') --begin;
  return end - begin;
}

// One pass of libjpeg over a file. libjpeg reports errors by longjmp, so everything that has a
// destructor lives in this object, outside of the functions that are jumped out of.
class Decompressor {
 public:
  // With `ends`, the end of `bytes` is taken for an end mark.
  explicit Decompressor(absl::string_view bytes, bool ends = false) : bytes_(bytes), ends_(ends) {}
  ~Decompressor() { jpeg_destroy_decompress(&libjpeg_); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // Before everything else. False on an error, as for Decode.
  bool ReadHeader() {
    libjpeg_.err = jpeg_std_error(&errors_);
    errors_.error_exit = Fail;
    errors_.emit_message = HearMessage;
    libjpeg_.client_data = this;
    if (setjmp(jump_) != 0) return false;
    jpeg_create_decompress(&libjpeg_);
    libjpeg_.src = &source_;
    source_.next_input_byte = reinterpret_cast<const JOCTET*>(bytes_.data());
    source_.bytes_in_buffer = bytes_.size();
    source_.init_source = [](j_decompress_ptr) {};
    source_.term_source = [](j_decompress_ptr) {};
    source_.fill_input_buffer = AddEnd;
    source_.skip_input_data = Skip;
    source_.resync_to_restart = Resync;
    libjpeg_.progress = &progress_;
    progress_.progress_monitor = HearProgress;
    // Tables may stand in a stream of their own, before the image's.
    while (jpeg_read_header(&libjpeg_, FALSE) == JPEG_HEADER_TABLES_ONLY) continue;
    first_scan_ = checked_ = Position();
    return true;
  }

  int64_t rows() const { return libjpeg_.image_height; }
  int64_t cols() const { return libjpeg_.image_width; }
  J_COLOR_SPACE color_space() const { return libjpeg_.jpeg_color_space; }

  // Writes the pixels, `image.channels()` of them, as `color_space`. False if any is missing, or if
  // memory is short.
  bool Decode(J_COLOR_SPACE color_space, cv::Mat& image) {
    rows_.resize(image.rows);
    for (int y = 0; y < image.rows; ++y) rows_[y] = image.ptr(y);
    // What libjpeg says once it has given out all pixels is about what lies behind them.
    if (setjmp(jump_) != 0) return !failed_ && pixels_are_out_;
    libjpeg_.out_color_space = color_space;
    jpeg_start_decompress(&libjpeg_);
    if (jpeg_has_multiple_scans(&libjpeg_) && !ScansAreThere(/*end_mark=*/!ran_out_)) {
      GiveUp(kScansAreMissing);
    }
    while (libjpeg_.output_scanline < libjpeg_.output_height) {
      const JDIMENSION y = libjpeg_.output_scanline;
      jpeg_read_scanlines(&libjpeg_, rows_.data() + y, libjpeg_.output_height - y);
    }
    // Past its end, arithmetic code goes on as zeros, by design: only an end mark says that it is
    // whole.
    if (libjpeg_.arith_code && ran_out_) GiveUp("there is no end mark");
    CheckScan();
    pixels_are_out_ = true;
    jpeg_finish_decompress(&libjpeg_);
    return true;
  }

  // Where the file's data end: before the end mark, or at the end of the file if there is none.
  size_t end() const { return ran_out_ ? bytes_.size() : Position() - 2; }
  bool has_end_mark() const { return !ran_out_; }

  // Where the file can be cut so that only what comes behind all of its scans is lost; 0 if
  // nowhere, or if it has only one.
  size_t scans_end() const { return scans_end_; }

  absl::Status status() const {
    if (out_of_memory_) return OutOfMemory();
    if (!unknown_) return Damaged(error_);
    return absl::DataLossError(absl::StrCat("is a JPEG image that this program cannot read (",
                                            error_, "); convert it to PNG"));
  }

 private:
  static Decompressor& Self(void* libjpeg) {
    return *static_cast<Decompressor*>(static_cast<j_common_ptr>(libjpeg)->client_data);
  }

  size_t Position() const { return bytes_.size() - (at_end_ ? 0 : source_.bytes_in_buffer); }

  [[noreturn]] void GiveUp(const char* why) {
    failed_ = true;
    std::strncpy(error_, why, sizeof(error_) - 1);
    std::longjmp(jump_, 1);
  }

  // The error, or warning, that libjpeg has just prepared.
  [[noreturn]] void GiveUpAsLibjpegSays() {
    char why[JMSG_LENGTH_MAX];
    errors_.format_message(reinterpret_cast<j_common_ptr>(&libjpeg_), why);
    GiveUp(why);
  }

  static void Fail(j_common_ptr libjpeg) {
    Decompressor& self = Self(libjpeg);
    if (self.pixels_are_out_) std::longjmp(self.jump_, 1);
    self.out_of_memory_ = libjpeg->err->msg_code == JERR_OUT_OF_MEMORY;
    switch (libjpeg->err->msg_code) {
      case JERR_BAD_PRECISION:       // 12 bits, in medicine
      case JERR_SOF_UNSUPPORTED:     // lossless, hierarchical
      case JERR_CONVERSION_NOTIMPL:  // lossless, for libjpeg-turbo 3
      case JERR_EMPTY_IMAGE:         // the number of rows is stated after them
      case JERR_ARITH_NOTIMPL:
      case JERR_NOT_COMPILED:
        self.unknown_ = true;
    }
    self.GiveUpAsLibjpegSays();
  }

  static void HearMessage(j_common_ptr libjpeg, int level) {
    if (level >= 0) return;  // no warning
    Decompressor& self = Self(libjpeg);
    switch (libjpeg->err->msg_code) {
      case JWRN_HIT_MARKER:  // coefficients were made up
      case JWRN_HUFF_BAD_CODE:
      case JWRN_ARITH_BAD_CODE:
        self.GiveUpAsLibjpegSays();
      case JWRN_BOGUS_PROGRESSION:  // bits of coefficients whose higher bits are not there
        if (self.libjpeg_.Ah > 0) self.GiveUp(kScansAreMissing);
        return;
      case JWRN_EXTRANEOUS_DATA:
        self.JudgeBytesLeft(libjpeg->err->msg_parm.i[0]);
        return;
      default:
        return;
    }
  }

  // `count` bytes before the next marker were not used.
  void JudgeBytesLeft(size_t count) {
    if (first_scan_ == 0) return;  // between the segments of the header
    const size_t end = Position(), begin = end - std::min(count, end);
    const absl::string_view left = bytes_.substr(begin, end - begin);
    if (left.find_first_not_of(left.substr(0, 1)) == left.npos) return;
    if (HasHole(first_scan_, begin)) GiveUp(kHoleInData);
  }

  // Whether many zeros in the data of the present scan can be blocks of one colour, the same as of
  // the block before. By most tables they are something that no picture has: all coefficients of
  // all blocks are -1, say.
  bool ZerosAreFlat() const {
    if (libjpeg_.arith_code) return true;  // without such tables
    const bool dc = libjpeg_.Ss == 0, ac = !libjpeg_.progressive_mode || !dc;
    if (libjpeg_.progressive_mode && dc && libjpeg_.Ah > 0) return true;  // single bits
    for (int i = 0; i < libjpeg_.comps_in_scan; ++i) {
      const jpeg_component_info& component = *libjpeg_.cur_comp_info[i];
      // No difference; no further coefficient.
      if (dc && FirstSymbol(libjpeg_.dc_huff_tbl_ptrs, component.dc_tbl_no) != 0) return false;
      if (ac && (FirstSymbol(libjpeg_.ac_huff_tbl_ptrs, component.ac_tbl_no) & 15) != 0) {
        return false;
      }
    }
    return true;
  }

  // The symbol of code 0 in a table; 0 without the table. A file may state any number up to 15 for
  // the table that a scan does not use.
  static int FirstSymbol(JHUFF_TBL* const (&tables)[NUM_HUFF_TBLS], int number) {
    if (number >= NUM_HUFF_TBLS || tables[number] == nullptr) return 0;
    return tables[number]->huffval[0];
  }

  // Whether there are kHole zeros in a row from `begin` to `end` of the file, or across `begin`.
  bool HasHole(size_t begin, size_t end) const {
    for (size_t at = begin; at < end; at += kHole / 2) {
      if (bytes_[at] != 0) continue;
      size_t from = at, to = at;
      while (from > first_scan_ && bytes_[from - 1] == 0) --from;
      while (to < end && bytes_[to] == 0) ++to;
      if (to - from >= kHole) return true;
      at = to;
    }
    return false;
  }

  // The file has ended without an end mark.
  static boolean AddEnd(j_decompress_ptr libjpeg) {
    static const JOCTET kEnd[] = {0xFF, JPEG_EOI};
    Self(libjpeg).at_end_ = true;
    Self(libjpeg).ran_out_ = !Self(libjpeg).ends_;
    libjpeg->src->next_input_byte = kEnd;
    libjpeg->src->bytes_in_buffer = sizeof(kEnd);
    return TRUE;
  }

  static void Skip(j_decompress_ptr libjpeg, long count) {
    jpeg_source_mgr& source = *libjpeg->src;
    if (count <= 0) return;
    if (static_cast<size_t>(count) > source.bytes_in_buffer) {
      AddEnd(libjpeg);
      return;
    }
    source.next_input_byte += count;
    source.bytes_in_buffer -= count;
  }

  // Another marker was found than the next restart interval's. Nothing is missing if libjpeg goes
  // on behind it: then only the numbers are wrong.
  static boolean Resync(j_decompress_ptr libjpeg, int desired) {
    const JOCTET* const position = libjpeg->src->next_input_byte;
    jpeg_resync_to_restart(libjpeg, desired);
    if (libjpeg->unread_marker != 0 || libjpeg->src->next_input_byte != position) {
      Self(libjpeg).GiveUp("restart intervals are missing");
    }
    return TRUE;
  }

  // Called after each row of blocks while libjpeg collects scans, and of pixels.
  static void HearProgress(j_common_ptr libjpeg) { Self(libjpeg).CheckScan(); }

  // What has been read of the present scan.
  void CheckScan() {
    if (libjpeg_.input_scan_number > kMaxScans) GiveUp("it has too many scans");
    for (int i = 0; i < libjpeg_.comps_in_scan; ++i) {
      components_seen_ |= 1 << libjpeg_.cur_comp_info[i]->component_index;
    }
    if (!ZerosAreFlat() && HasHole(checked_, Position())) GiveUp(kHoleInData);
    checked_ = Position();
    if (jpeg_has_multiple_scans(&libjpeg_) && ScansAreThere(/*end_mark=*/false)) {
      scans_end_ = Position() - (libjpeg_.unread_marker != 0 ? 2 : 0);
    }
  }

  // Whether the scans that are complete bring every component, and all bits of every coefficient.
  // If there is an end mark, the file may leave out coefficients altogether.
  bool ScansAreThere(bool end_mark) const {
    if (libjpeg_.input_iMCU_row < libjpeg_.total_iMCU_rows) return false;
    for (int c = 0; c < libjpeg_.num_components; ++c) {
      if ((components_seen_ >> c & 1) == 0) return false;
      if (!libjpeg_.progressive_mode) continue;
      const int* bits = libjpeg_.coef_bits[c];  // -1: not seen; else the bits that are missing
      if (bits[0] != 0) return false;
      if (std::any_of(bits, bits + DCTSIZE2,
                      [&](int missing) { return missing > 0 || (missing < 0 && !end_mark); })) {
        return false;
      }
    }
    return true;
  }

  const absl::string_view bytes_;
  const bool ends_;
  jpeg_decompress_struct libjpeg_ = {};
  jpeg_error_mgr errors_ = {};
  jpeg_source_mgr source_ = {};
  jpeg_progress_mgr progress_ = {};
  std::jmp_buf jump_;

  std::vector<JSAMPROW> rows_;
  size_t first_scan_ = 0;  // where its data begin; 0 while the header is read
  size_t checked_ = 0;     // CheckScan has looked at what comes before
  size_t scans_end_ = 0;
  uint32_t components_seen_ = 0;
  bool at_end_ = false, ran_out_ = false;
  bool pixels_are_out_ = false, failed_ = false, out_of_memory_ = false;
  bool unknown_ = false;  // the kind of JPEG, by libjpeg
  char error_[JMSG_LENGTH_MAX] = {};
};

// Adobe's CMYK files are inverted: 255 is no ink.
cv::Mat RgbOfCmyk(const cv::Mat& cmyk) {
  cv::Mat rgb(cmyk.rows, cmyk.cols, CV_8UC3);
  for (int y = 0; y < cmyk.rows; ++y) {
    const uint8_t* from = cmyk.ptr(y);
    uint8_t* to = rgb.ptr(y);
    for (int x = 0; x < cmyk.cols; ++x, from += 4, to += 3) {
      for (int c = 0; c < 3; ++c) {
        const int ink = (255 - from[c]) * from[3] + 128;
        to[c] = static_cast<uint8_t>(std::max(from[3] - ((ink + (ink >> 8)) >> 8), 0));
      }
    }
  }
  return rgb;
}

class JpegImage : public EncodedImage {
 public:
  explicit JpegImage(absl::string_view bytes)
      : bytes_(bytes), first_(std::make_unique<Decompressor>(bytes)) {}

  absl::Status ReadHeader() {
    if (!first_->ReadHeader()) return first_->status();
    rows_ = first_->rows();
    cols_ = first_->cols();
    return absl::OkStatus();
  }

  int64_t rows() const override { return rows_; }
  int64_t cols() const override { return cols_; }
  StoredPixels stored() const override {
    const J_COLOR_SPACE space = first_->color_space();
    return {space == JCS_GRAYSCALE                   ? "grey"
            : space == JCS_CMYK || space == JCS_YCCK ? "CMYK"
                                                     : "RGB"};
  }

  absl::StatusOr<cv::Mat> Decode(int channels) override {
    const J_COLOR_SPACE from = first_->color_space();
    const bool cmyk = from == JCS_CMYK || from == JCS_YCCK;
    const bool grey = from == JCS_GRAYSCALE && channels < 3;
    space_ = cmyk ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_RGB;
    image_.create(static_cast<int>(rows()), static_cast<int>(cols()),
                  cmyk   ? CV_8UC4
                  : grey ? CV_8UC1
                         : CV_8UC3);
    if (absl::Status s = DecodeWhole(); !s.ok()) return s;
    return cmyk ? RgbOfCmyk(image_) : image_;
  }

  int orientation() const override;

 private:
  absl::Status DecodeWhole() {
    size_t size = bytes_.size();
    std::unique_ptr<Decompressor> pass = std::move(first_);
    if (!pass->Decode(space_, image_)) {
      size = pass->scans_end();
      if (size == 0 || size == bytes_.size()) return pass->status();
      pass = std::make_unique<Decompressor>(bytes_.substr(0, size));
      if (!pass->ReadHeader() || !pass->Decode(space_, image_)) return pass->status();
    }
    return CheckZerosAtEnd(pass->end(), pass->has_end_mark());
  }

  // Zeros before the end mark, or before the end of a file without one, are padding, or stand for
  // pixels that are lost. They are padding if no pixel needs them. (And the data of a flat image
  // may end in zeros: then the pixels need the last of them.)
  absl::Status CheckZerosAtEnd(size_t end, bool has_end_mark) {
    const size_t zeros = ZerosBefore(bytes_, end);
    if (zeros < 2 || IsWhole(end - zeros, has_end_mark)) return absl::OkStatus();
    if (has_end_mark && !IsWhole(end - 1, true)) return absl::OkStatus();
    return Damaged("its data end in zeros");
  }

  // Whether the first `size` bytes of the file hold all pixels, which are decoded.
  bool IsWhole(size_t size, bool ends) {
    Decompressor pass(bytes_.substr(0, size), ends);
    return pass.ReadHeader() && pass.Decode(space_, image_);
  }

  const absl::string_view bytes_;
  std::unique_ptr<Decompressor> first_;  // until Decode
  int64_t rows_ = 0, cols_ = 0;
  J_COLOR_SPACE space_ = JCS_RGB;
  cv::Mat image_;
};

// The segments before the first scan, found as Pillow finds them.
int JpegImage::orientation() const {
  constexpr absl::string_view kExif("Exif\0\0", 6), kXmp("http://ns.adobe.com/xap/1.0/\0", 29);
  std::string exif;
  absl::string_view xmp;
  for (size_t at = bytes_.find('\xFF', 2); at != bytes_.npos; at = bytes_.find('\xFF', at)) {
    at = std::min(bytes_.find_first_not_of('\xFF', at), bytes_.size());
    if (bytes_.size() - at < 3) break;
    const uint8_t marker = bytes_[at++];
    if (marker == 0xDA) break;
    if (marker < 0xC0 || (marker >= 0xD0 && marker <= 0xD9)) continue;  // without contents
    const size_t size =
        static_cast<uint8_t>(bytes_[at]) << 8 | static_cast<uint8_t>(bytes_[at + 1]);
    if (size < 2) continue;
    absl::string_view contents = bytes_.substr(at + 2, size - 2);
    at += size;
    if (marker == 0xE1 && absl::StartsWith(contents, kExif)) {
      // Metadata that one segment cannot hold go on in the next.
      absl::StrAppend(&exif, contents.substr(exif.empty() ? 0 : kExif.size()));
    } else if (marker == 0xE1 && absl::ConsumePrefix(&contents, kXmp)) {
      xmp = contents;
    }
    if (at >= bytes_.size()) break;
  }
  auto orientation = OrientationOfExif(exif);
  if (!orientation) orientation = OrientationOfXmp(xmp);
  return orientation.value_or(1);
}

class Jpeg : public Codec {
 public:
  bool Recognises(absl::string_view bytes) const override {
    return absl::StartsWith(bytes, "\xFF\xD8\xFF");
  }

  std::vector<std::string> Endings() const override { return {".jpg", ".jpeg"}; }

  absl::StatusOr<std::unique_ptr<EncodedImage>> Open(absl::string_view bytes) const override {
    auto image = std::make_unique<JpegImage>(bytes);
    if (absl::Status s = image->ReadHeader(); !s.ok()) return s;
    return image;
  }
};

absl::StatusOr<std::unique_ptr<Codec>> MakeJpeg(const registry::NoOptions&) {
  return std::make_unique<Jpeg>();
}

REGISTER_PLUGIN(Codecs, "jpeg", "JPEG files (.jpg, .jpeg)", registry::NoOptions, MakeJpeg);

}  // namespace
}  // namespace data
