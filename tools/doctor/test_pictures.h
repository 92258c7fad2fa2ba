// Pictures for tests.
#ifndef TOOLS_DOCTOR_TEST_PICTURES_H_
#define TOOLS_DOCTOR_TEST_PICTURES_H_

#include <opencv2/core/mat.hpp>

namespace doctor {

// A picture in RGB that is like no other of another `seed`: patches of colour with soft edges, as
// photographs have them.
cv::Mat TestPicture(int seed, int rows = 120, int cols = 160);

}  // namespace doctor

#endif  // TOOLS_DOCTOR_TEST_PICTURES_H_
