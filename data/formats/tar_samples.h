// Which files of an archive are one sample, as WebDataset writes them: `key.jpg`, `key.cls`,
// `key.seg.png`, ...
//
// A sample is the files of one stem, the name without its last ending: `img.v1.0000.jpg` belongs
// to `img.v1.0000.cls`, although WebDataset's own reader ends a key at the first dot. An image
// whose stem continues that of another file (`key.seg.png` beside `key.jpg` or `key.cls`), and that
// has no label of its own (`key.seg.cls`), is a further image of that file's sample.
#ifndef DATA_FORMATS_TAR_SAMPLES_H_
#define DATA_FORMATS_TAR_SAMPLES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/formats/tar_archive.h"

namespace data {

struct SampleImage {
  size_t entry;    // of the archive's listing
  int label = -1;  // -1: none, or one that cannot be used
};

// The images that were chosen, over all archives.
struct Samples {
  bool has_labels = false;                  // whether any file of labels was found
  absl::Status label_status;                // the first label that cannot be used
  std::map<std::string, int64_t> left_out;  // number of images of each ending, such as "seg.png"
  int64_t without_key = 0;                  // samples without an image of the chosen ending
  int64_t lost_labels = 0;                  // labels without an image
  std::string lost_label;                   // the first of them

  // A sentence for each of the numbers above that is not 0. `keys`: as for AddSamples.
  std::vector<std::string> Notes(const std::string& path,
                                 const std::vector<std::string>& keys) const;
};

// Adds the samples of one archive, and returns its images in the archive's order. `keys` are the
// endings of the images to use ("jpg", "seg.png"); if it is empty, the one without a second part.
// InvalidArgument, naming --image-key, if samples have several images of equal right.
absl::StatusOr<std::vector<SampleImage>> AddSamples(const Archive& archive,
                                                    const std::vector<ArchiveEntry>& entries,
                                                    const std::vector<std::string>& keys,
                                                    Samples& samples);

// The class in the text of a .cls file, in any form in which Python prints a number (PlainLabel),
// or as 3.0. InvalidArgument for all else, and unless it is 0 to kMaxClasses - 1.
absl::StatusOr<int> ReadClass(absl::string_view text);

}  // namespace data

#endif  // DATA_FORMATS_TAR_SAMPLES_H_
