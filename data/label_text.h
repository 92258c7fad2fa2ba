// Labels that are written as text: in the columns of a table, or in files beside images.
#ifndef DATA_LABEL_TEXT_H_
#define DATA_LABEL_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "data/listing.h"

namespace data {

// The label in `text` without what Python prints around it: `3` for "tensor(3)", "np.int64(3)",
// "[3]" and "array([3])"; `cat` for "b'cat'" and "['cat']"; nothing for "nan", which pandas has for
// a missing value. Other text is itself.
std::string PlainLabel(absl::string_view text);

struct TextClasses {
  Classes classes;        // without labels if they cannot be used
  int64_t unusable = -1;  // the index of the first label that cannot be used
  std::string why;        // "is a number with a fraction"
};

// Classes by plain labels, of which the empty ones and -1 mean none:
//
// - if all are whole numbers (3, or 3.0 as pandas writes a column with gaps), the classes are 0 to
//   the largest of them, with numbers for names;
// - otherwise they are names, sorted by their bytes.
//
// Numbers below -1, numbers with a fraction, and numbers of kMaxClasses and above cannot be used,
// unless there are names beside them.
TextClasses ClassesOfTexts(const std::vector<std::string>& plain_labels);

}  // namespace data

#endif  // DATA_LABEL_TEXT_H_
