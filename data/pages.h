// Files of several pages, such as stacks that microscopes write as TIFF, with each page as an
// image.
#ifndef DATA_PAGES_H_
#define DATA_PAGES_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "data/dataset.h"
#include "data/decode_options.h"

namespace data {

// The images of `files` (opened with `decode`), page by page: "stack.tif" becomes "stack.tif:1",
// "stack.tif:2", ..., each with the label of the file; files of one page keep their names. Reads
// the headers of all files; one that cannot be read counts as one page. Unimplemented, naming
// --pages, if the data set does not keep its images as files.
absl::StatusOr<std::unique_ptr<Dataset>> PagesOf(std::unique_ptr<Dataset> files,
                                                 const DecodeOptions& decode);

// What a user who gives no --pages should know of TIFF files with several pages; empty if there are
// none. Reads the headers of at most 16 files, evenly spaced.
std::string FurtherPagesNote(const Dataset& files);

}  // namespace data

#endif  // DATA_PAGES_H_
