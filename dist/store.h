// Small helpers for the key-value store that the processes of a run share (c10d).
#ifndef DIST_STORE_H_
#define DIST_STORE_H_

#include <c10/util/intrusive_ptr.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

#include "absl/strings/str_cat.h"

namespace dist {

using StorePtr = c10::intrusive_ptr<c10d::Store>;

// Between two looks at the store.
inline constexpr std::chrono::milliseconds kPollInterval{20};

// How long a process that fails takes at most to learn the reason.
inline constexpr std::chrono::milliseconds kDiagnosisTime{1400};

inline std::chrono::milliseconds Milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(1000 * seconds));
}

inline std::string RankKey(const char* what, int64_t rank) { return absl::StrCat(what, "/", rank); }

inline void SetText(c10d::Store& store, const std::string& key, const std::string& text) {
  store.set(key, std::vector<uint8_t>(text.begin(), text.end()));
}

// Waits for the key.
inline std::string GetText(c10d::Store& store, const std::string& key) {
  const std::vector<uint8_t> value = store.get(key);
  return {value.begin(), value.end()};
}

// The first line of an exception's text, without its position in the source.
inline std::string FirstLine(const std::exception& e) {
  std::string text = e.what();
  text.resize(std::min(text.find('\n'), text.size()));
  const size_t end = text.find("] ");
  return text[0] == '[' && end != std::string::npos ? text.substr(end + 2) : text;
}

}  // namespace dist

#endif  // DIST_STORE_H_
