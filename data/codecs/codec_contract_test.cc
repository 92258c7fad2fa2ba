// The files that once made a codec fail (tools/fuzz.sh). The contract is in codec_contract.cc.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/files.h"
#include "data/decode.h"

namespace data {
namespace {

constexpr char kOnceFailed[] = "data/fuzz/failed";

TEST(CodecsTest, WhatOnceFailedDoesNotCrash) {
  if (!std::filesystem::exists(kOnceFailed)) return;
  for (const auto& entry : std::filesystem::directory_iterator(kOnceFailed)) {
    const std::string bytes = base::ReadFile(entry.path()).value();
    for (int channels = 1; channels <= 4; ++channels) {
      DecodeImage(bytes, {.channels = channels, .apply_exif = true}).status().IgnoreError();
    }
  }
}

}  // namespace
}  // namespace data
