// Image codecs: from the bytes of an image file to pixels. Each is a plugin in data/codecs/.
#ifndef DATA_CODEC_H_
#define DATA_CODEC_H_

#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "registry/no_options.h"
#include "registry/registry.h"

namespace data {

// "is cut or damaged: <why>", to be put behind the image's name.
absl::Status Damaged(absl::string_view why);

// ResourceExhausted: a library could not allocate memory for an image. decode.cc decides whether
// memory is short or the file is damaged. `detail`: the library's words, if there are any.
absl::Status OutOfMemory(absl::string_view detail = "");

// What an image file stores, before anything is converted. For people.
struct StoredPixels {
  // "grey", "grey and alpha", "RGB", "RGB and alpha", "palette", "CMYK", "5 channels", "other"
  std::string mode;
  int bits = 8;  // of a channel, or of an index into the palette
};

// An image whose header has been read, and whose pixels have not. It refers to the bytes that it
// was opened from, and is used by one thread.
class EncodedImage {
 public:
  virtual ~EncodedImage() = default;

  // As the header states them, whatever they are: DecodeImage refuses images without pixels and
  // those above --max-megapixels before it calls Decode.
  virtual int64_t rows() const = 0;
  virtual int64_t cols() const = 0;

  // Returns rows() x cols() pixels in 1 (grey), 2 (grey and alpha), 3 (RGB), 4 (RGB and alpha) or
  // up to kMaxChannels (whatever the file stores) channels: CV_8U for up to 8 bits, CV_16U for up
  // to 16 without a sign, both scaled to their full range where the file has fewer bits and says
  // so; otherwise CV_32F with the values as stored. The caller converts them to `channels`, so a
  // codec has to look at `channels` only where its library converts faster, or as Pillow does, or
  // where the file can be understood in two ways. DataLoss (see Damaged) if the file is cut or
  // damaged, ResourceExhausted if memory is short. Called at most once.
  virtual absl::StatusOr<cv::Mat> Decode(int channels) = 0;

  // How many images the file holds, at least 1, and which of them the other functions are about,
  // from 0; the first at the beginning. DataLoss if the page cannot be found.
  virtual int64_t pages() { return 1; }
  virtual absl::Status SelectPage(int64_t page) {
    return page == 0 ? absl::OkStatus() : Damaged(absl::StrCat("it has no page ", page + 1));
  }

  // The Exif orientation that the file states (data/orientation.h), 1 to 8; 1 if it states none.
  // DecodeImage turns the decoded image by it if asked to.
  virtual int orientation() const { return 1; }

  // As the header states it. Not after Decode.
  virtual StoredPixels stored() const = 0;
};

// One file format. Thread-safe.
class Codec {
 public:
  virtual ~Codec() = default;

  // Whether the file is of this format, by its first bytes. No two codecs recognise the same file.
  virtual bool Recognises(absl::string_view bytes) const = 0;

  // The usual endings of file names, in lower case and with the dot. Files with such names are
  // listed as images; what a file holds is decided by Recognises.
  virtual std::vector<std::string> Endings() const = 0;

  // Whether such files often hold something other than an image, as arrays do. They are listed as
  // images only where there are none of another format.
  virtual bool HoldsAnything() const { return false; }

  // Reads the header of a file that this codec recognises, and allocates nothing whose size the
  // header states. `bytes` must outlive the result. DataLoss (see Damaged) if the header is cut or
  // damaged.
  virtual absl::StatusOr<std::unique_ptr<EncodedImage>> Open(absl::string_view bytes) const = 0;
};

using CodecRegistry = registry::Registry<Codec>;
CodecRegistry& Codecs();

// The codec that recognises `bytes`; null if none does. Aborts in a program that links no codec.
const Codec* FindCodec(absl::string_view bytes);

// The name of the codec that recognises `bytes`; empty if none does.
std::string CodecName(absl::string_view bytes);

// Why no codec has recognised `bytes`: DataLoss that names the format, if it is a usual one, or the
// formats that can be read.
absl::Status NotRecognised(absl::string_view bytes);

// The endings of the names of image files, sorted: those of all codecs whose files are images.
// Aborts in a program that links no codec.
const std::vector<std::string>& ImageEndings();

// The same of codecs whose files may hold anything (Codec::HoldsAnything): ".npy".
const std::vector<std::string>& ArrayEndings();

}  // namespace data

#endif  // DATA_CODEC_H_
