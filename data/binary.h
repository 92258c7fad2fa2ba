// Numbers and checksums in binary files, in this machine's byte order.
#ifndef DATA_BINARY_H_
#define DATA_BINARY_H_

#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "absl/strings/string_view.h"

namespace data {

inline uint32_t Crc(absl::string_view bytes) {
  return crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

template <class T>
void Append(const T& value, std::string& bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Takes a value from the front of `bytes`; false if there are too few.
template <class T>
bool Take(absl::string_view& bytes, T* value) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (bytes.size() < sizeof(T)) return false;
  std::memcpy(value, bytes.data(), sizeof(T));
  bytes.remove_prefix(sizeof(T));
  return true;
}

}  // namespace data

#endif  // DATA_BINARY_H_
