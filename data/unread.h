// Forms of data that are not read, or not where they are, with the way to convert them.
#ifndef DATA_UNREAD_H_
#define DATA_UNREAD_H_

#include <string>

#include "absl/strings/string_view.h"

namespace data {

// What a file is that holds images in another form, by its name, and what to do about it: "is a
// Parquet file, which is not read; convert it ...". Empty for other files.
std::string UnreadForm(absl::string_view file);

// The same for the first such file in a folder and its folders, with its path before it:
// "'x/a.tfrecord' is ...". Among them are files that are read if they are given themselves.
std::string UnreadFormIn(const std::string& folder);

}  // namespace data

#endif  // DATA_UNREAD_H_
