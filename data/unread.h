// Files that are not read, or not where they are, told by their names or their first bytes, with
// what to do about them: images of kinds for which the program has no codec, and data sets in other
// forms.
#ifndef DATA_UNREAD_H_
#define DATA_UNREAD_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace data {

// What such a file is, by its name, and what to do about it: "is a Parquet file, which is not read;
// convert it ...". Empty for other files.
std::string UnreadForm(absl::string_view file);

// How telling such a file is of what a folder holds: the smaller, the more; -1 for other files.
int UnreadRank(absl::string_view file);

// The same by the first bytes of a file, without "is" at its front: "a HEIC image, which ...".
// Empty if they are not those of such a file.
std::string UnreadContents(absl::string_view bytes);

// The ending of `name` in lower case if it is that of a kind of image that no codec of the program
// reads (".heic", ".dcm", ...), and else empty.
absl::string_view UnreadEnding(absl::string_view name);

// All such endings, sorted.
const std::vector<std::string>& UnreadEndings();

// The command that converts the images below `folder` with such an ending, and the Debian package
// that has its program.
std::string HowToConvert(absl::string_view unread_ending, absl::string_view folder);

}  // namespace data

#endif  // DATA_UNREAD_H_
