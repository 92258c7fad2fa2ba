// Whether two data sets have the same images, judged by their names.
#ifndef DATA_IMAGE_NAMES_H_
#define DATA_IMAGE_NAMES_H_

#include <string>

#include "data/dataset.h"

namespace data {

// Returns a digest of the names of the images in their order, with their labels if asked to
// (16 hexadecimal digits), the same in every build. The folders that all names have in common are
// left out, so that it stays the same where the data are moved. It reads no image.
std::string DigestOfNames(const Dataset& dataset, bool with_labels);

}  // namespace data

#endif  // DATA_IMAGE_NAMES_H_
