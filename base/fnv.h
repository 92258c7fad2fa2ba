// FNV-1a of 64 bits: a hash that has the same value on every platform and in every build, so that
// it can be kept in files. It tells differences apart that nobody makes on purpose.
#ifndef BASE_FNV_H_
#define BASE_FNV_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace base {

class Fnv {
 public:
  void Add(absl::string_view bytes) {
    for (const unsigned char c : bytes) state_ = (state_ ^ c) * 0x100000001b3;
  }

  // 16 hexadecimal digits.
  std::string Text() const { return absl::StrCat(absl::Hex(state_, absl::kZeroPad16)); }

 private:
  uint64_t state_ = 0xcbf29ce484222325;
};

}  // namespace base

#endif  // BASE_FNV_H_
