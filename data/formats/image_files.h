// A data set of image files that are given by name, as folders and lists give them.
#ifndef DATA_FORMATS_IMAGE_FILES_H_
#define DATA_FORMATS_IMAGE_FILES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "data/dataset.h"
#include "data/decode_options.h"
#include "data/listing.h"

namespace data {

// Names that do not begin with a slash are relative to `folder`, which ends with one or is empty.
// `classes` is empty, or has a label for each name. Images are decoded as `decode` says.
// `notes` and `label_status` are those of the data set.
std::unique_ptr<Dataset> MakeImageFiles(std::string folder, Names names, Classes classes,
                                        const DecodeOptions& decode,
                                        std::vector<std::string> notes = {},
                                        absl::Status label_status = absl::OkStatus());

// A note on those of the sorted `folders` of `place` that hold no image, which torchvision refuses;
// here they are no classes. Empty if there are none. (`__MACOSX` holds only what macOS adds to
// archives.)
std::string EmptyFoldersNote(const std::string& place, const std::vector<std::string>& folders,
                             const std::vector<std::string>& classes);

// The list that says what the images in a folder are, as in Hugging Face's imagefolder: its
// metadata.csv or metadata.jsonl with a column file_name; Roboflow's _classes.csv; or a metadata
// file in the folder above that names images of this one, `train/1.jpg`. Empty if there is none.
std::string ListOf(const DataLocation& folder);

// The name of a folder, for such names: "train".
std::string NameOfFolder(const std::string& path);

}  // namespace data

#endif  // DATA_FORMATS_IMAGE_FILES_H_
