// A data set of image files that are given by name, as folders and lists give them.
#ifndef DATA_FORMATS_IMAGE_FILES_H_
#define DATA_FORMATS_IMAGE_FILES_H_

#include <memory>
#include <string>

#include "data/dataset.h"
#include "data/decode_options.h"
#include "data/listing.h"

namespace data {

// Names that do not begin with a slash are relative to `folder`, which ends with one or is empty.
// `classes` is empty, or has a label for each name. Images are decoded as `decode` says.
std::unique_ptr<Dataset> MakeImageFiles(std::string folder, Names names, Classes classes,
                                        const DecodeOptions& decode);

}  // namespace data

#endif  // DATA_FORMATS_IMAGE_FILES_H_
