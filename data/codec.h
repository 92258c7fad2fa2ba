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
#include "absl/strings/string_view.h"
#include "registry/no_options.h"
#include "registry/registry.h"

namespace data {

// What an image file stores, before anything is converted. For people.
struct StoredPixels {
  std::string mode;  // "grey", "grey and alpha", "RGB", "RGB and alpha", "palette", "CMYK", "other"
  int bits = 8;      // of a channel, or of an index into the palette
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

  // Returns rows() x cols() pixels of 8 bits a channel, in 1 (grey), 2 (grey and alpha), 3 (RGB) or
  // 4 (RGB and alpha) channels. The caller converts them to `channels`, so a codec has to look at
  // `channels` only where its library converts faster, or as Pillow does. DataLoss (see Damaged) if
  // the file is cut or damaged, ResourceExhausted if memory is short. Called at most once.
  virtual absl::StatusOr<cv::Mat> Decode(int channels) = 0;

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

  // Reads the header of a file that this codec recognises, and allocates nothing whose size the
  // header states. `bytes` must outlive the result. DataLoss (see Damaged) if the header is cut or
  // damaged.
  virtual absl::StatusOr<std::unique_ptr<EncodedImage>> Open(absl::string_view bytes) const = 0;
};

using CodecRegistry = registry::Registry<Codec>;
CodecRegistry& Codecs();

// "is cut or damaged: <why>", to be put behind the image's name.
absl::Status Damaged(absl::string_view why);

// The codec that recognises `bytes`; null if none does. Aborts in a program that links no codec.
const Codec* FindCodec(absl::string_view bytes);

// The name of the codec that recognises `bytes`; empty if none does.
std::string CodecName(absl::string_view bytes);

// Why no codec has recognised `bytes`: DataLoss that names the format, if it is a usual one, or the
// formats that can be read.
absl::Status NotRecognised(absl::string_view bytes);

// The endings of the names of image files, sorted: those of all codecs. Aborts in a program that
// links no codec.
const std::vector<std::string>& ImageEndings();

// The ending of `name` in lower case if it is that of a kind of image that no codec of the program
// reads (".heic", ".dcm", ...), and else empty.
absl::string_view UnreadEnding(absl::string_view name);

// All such endings, sorted.
const std::vector<std::string>& UnreadEndings();

// The command that converts the files below `folder` with such an ending, and the Debian package
// that has its program.
std::string HowToConvert(absl::string_view unread_ending, absl::string_view folder);

}  // namespace data

#endif  // DATA_CODEC_H_
