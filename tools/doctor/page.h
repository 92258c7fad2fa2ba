// The examination as a page with pictures.
#ifndef TOOLS_DOCTOR_PAGE_H_
#define TOOLS_DOCTOR_PAGE_H_

#include <string>
#include <vector>

#include "tools/doctor/advice.h"
#include "tools/doctor/examine.h"
#include "tools/doctor/findings.h"

namespace doctor {

struct PageText {
  std::string data;                // as the user named it
  std::vector<std::string> lines;  // what the data is, and what a run takes: "sizes    all 96 x 96"
  std::vector<AdvisedFlag> flags;
  std::string command;  // to start a run; empty: there is none
};

// One HTML file that needs no network and no JavaScript: the lines, the findings with contact
// sheets of the images that show them, the sizes of images and classes, and a sample of each part.
std::string Page(const Examination& examination, const std::vector<Finding>& findings,
                 const PageText& text);

}  // namespace doctor

#endif  // TOOLS_DOCTOR_PAGE_H_
