// The fuzzer's corpora, what once failed in it, and mutations of both, without a fuzzer.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/rng.h"
#include "tensors/fuzz/read_everything.h"

namespace tensors {
namespace {

constexpr char kCorpora[] = "tensors/fuzz/corpus";
constexpr int kMutations = 20000;

std::vector<std::string> Corpus() {
  std::vector<std::string> paths, files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kCorpora)) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) files.push_back(base::ReadFile(path).value());
  return files;
}

// Changes a byte, or a number; cuts; repeats; or brings in a part of another file.
void Mutate(std::string& bytes, const std::string& other, base::Rng& rng) {
  if (bytes.empty()) bytes = " ";
  const size_t at = rng.UniformInt(0, bytes.size() - 1);
  const size_t size = std::min<size_t>(bytes.size() - at, rng.UniformInt(1, 16));
  switch (rng.UniformInt(0, 5)) {
    case 0:
      bytes[at] = static_cast<char>(rng.NextBits());
      break;
    case 1:
      bytes[at] ^= 1 << rng.UniformInt(0, 7);
      break;
    case 2:  // the ends of ranges
      bytes.replace(at, size, size, "\0\xff\x7f\x80"[rng.UniformInt(0, 3)]);
      break;
    case 3:
      bytes.erase(at, size);
      break;
    case 4:
      bytes.insert(at, bytes.substr(at, size));
      break;
    case 5:
      if (at < other.size()) bytes.insert(at, other.substr(at, size));
  }
}

TEST(CorpusTest, TheSeedsAreAccepted) {
  int seeds = 0;
  for (const char* format : {"zip", "legacy", "safetensors", "pickle", "npy", "archive"}) {
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(kCorpora) + "/" + format)) {
      const std::string bytes = base::ReadFile(entry.path()).value();
      EXPECT_TRUE(ReadEverything(bytes)) << entry.path();
      ++seeds;
    }
  }
  EXPECT_GE(seeds, 8);
}

TEST(CorpusTest, WhatOnceFailedDoesNotCrash) {
  for (const std::string& bytes : Corpus()) ReadEverything(bytes);
}

TEST(CorpusTest, MutationsDoNotCrash) {
  const std::vector<std::string> corpus = Corpus();
  base::Rng rng(1, base::Purpose::kTest);
  const auto any = [&] { return corpus[rng.UniformInt(0, corpus.size() - 1)]; };
  int accepted = 0;
  for (int i = 0; i < kMutations; ++i) {
    std::string bytes = any();
    for (int64_t n = rng.UniformInt(1, 4); n > 0; --n) Mutate(bytes, any(), rng);
    accepted += ReadEverything(bytes);
  }
  EXPECT_GT(accepted, kMutations / 100) << "the mutations reach nothing but the first checks";
}

}  // namespace
}  // namespace tensors
