// Classes of two splits that must agree, and classes that nothing belongs to.
#ifndef DATA_CLASSES_H_
#define DATA_CLASSES_H_

#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace data {

// The same images, with labels as positions in `classes`, by the names of the classes. Classes that
// are not there come behind. Formats number the classes that they find, so a val/ that lacks a
// class, or is of another format than train/, has other numbers than train/.
std::unique_ptr<Dataset> NumberedAs(const std::vector<std::string>& classes,
                                    std::unique_ptr<Dataset> dataset);

// A note, with the remedy, on classes without an image, as labels that begin with 1 or have gaps
// leave; empty if there is none.
std::string EmptyClassesNote(const Dataset& dataset);

}  // namespace data

#endif  // DATA_CLASSES_H_
