// Numbers for people.
#ifndef BASE_FORMAT_COUNT_H_
#define BASE_FORMAT_COUNT_H_

#include <cstdint>
#include <string>

namespace base {

// "12,800".
inline std::string FormatCount(int64_t number) {
  std::string text = std::to_string(number);
  const int first = number < 0;  // behind the sign
  for (int place = static_cast<int>(text.size()) - 3; place > first; place -= 3) {
    text.insert(place, 1, ',');
  }
  return text;
}

}  // namespace base

#endif  // BASE_FORMAT_COUNT_H_
