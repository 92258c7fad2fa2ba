// What every registered codec keeps, seen on samples: the files with its endings in the folders
// named samples/ among the test's data.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <opencv2/core/mat.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/rng.h"
#include "data/codec.h"
#include "data/decode.h"
#include "data/test_images.h"

namespace data {
namespace {

std::unique_ptr<Codec> Make(const std::string& name) { return Codecs().Create(name).value(); }

bool HasEnding(const Codec& codec, const std::string& file) {
  const std::vector<std::string> endings = codec.Endings();
  return std::any_of(endings.begin(), endings.end(),
                     [&](const std::string& ending) { return absl::EndsWith(file, ending); });
}

// The bytes of each sample of the codec, by name. The test's data are those of one or several
// repositories.
std::map<std::string, std::string> SamplesOf(const Codec& codec) {
  std::map<std::string, std::string> samples;
  const char* data = std::getenv("TEST_SRCDIR");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data ? data : ".")) {
    const std::string name = entry.path().filename();
    if (entry.path().parent_path().filename() == "samples" && HasEnding(codec, name)) {
      samples[name] = base::ReadFile(entry.path()).value();
    }
  }
  return samples;
}

// With a range for the values of 32 bits in some samples.
DecodeOptions Options(int channels = 3) { return {.channels = channels, .range = {{0, 255}}}; }

absl::StatusOr<cv::Mat> Decoded(absl::string_view bytes) { return DecodeImage(bytes, Options()); }

class CodecContract : public testing::TestWithParam<std::string> {
 protected:
  CodecContract() : codec_(Make(GetParam())), samples_(SamplesOf(*codec_)) {}

  void SetUp() override {
    ASSERT_FALSE(samples_.empty())
        << "the test has no samples of '" << GetParam() << "': put files with its endings into a "
        << "folder named samples/, and name them in the test's `data`";
    sample_ = samples_.begin()->second;
    decoded_ = Decoded(sample_).value();
  }

  // Whether a good image decodes as before.
  bool GoodImageDecodes() const {
    const auto image = Decoded(sample_);
    return image.ok() && SameImage(*image, decoded_);
  }

  static void ExpectDamaged(const absl::Status& status, const std::string& what) {
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << what << " " << status;
    EXPECT_FALSE(status.message().empty()) << what;
    EXPECT_FALSE(absl::StrContains(status.message(), "\n")) << what << " " << status;
  }

  const std::unique_ptr<Codec> codec_;
  const std::map<std::string, std::string> samples_;
  std::string sample_;  // one of them
  cv::Mat decoded_;     // its image
};

TEST_P(CodecContract, EndingsAreItsOwn) {
  ASSERT_FALSE(codec_->Endings().empty());
  for (const std::string& ending : codec_->Endings()) {
    EXPECT_GE(ending.size(), 2u);
    EXPECT_EQ(ending[0], '.');
    EXPECT_EQ(ending, absl::AsciiStrToLower(ending));
    for (const std::string& other : Codecs().Names()) {
      if (other == GetParam()) continue;
      EXPECT_FALSE(HasEnding(*Make(other), "x" + ending)) << ending << " is also of " << other;
    }
  }
}

TEST_P(CodecContract, RecognisesItsOwnFilesAlone) {
  for (const auto& [name, bytes] : samples_) {
    for (const std::string& other : Codecs().Names()) {
      EXPECT_EQ(Make(other)->Recognises(bytes), other == GetParam()) << name << " by " << other;
    }
  }
  for (const std::string& bytes : {std::string(), std::string("\0", 1), std::string(1000, '\0'),
                                   std::string("<html>"), std::string(1, sample_[0])}) {
    EXPECT_FALSE(codec_->Recognises(bytes)) << bytes;
  }
}

TEST_P(CodecContract, TheHeaderSaysWhatIsStored) {
  for (const auto& [name, bytes] : samples_) {
    const StoredPixels stored = codec_->Open(bytes).value()->stored();
    EXPECT_FALSE(stored.mode.empty()) << name;
    EXPECT_GE(stored.bits, 1) << name;
    EXPECT_LE(stored.bits, 64) << name;
    EXPECT_EQ(CodecName(bytes), GetParam()) << name;
  }
}

TEST_P(CodecContract, TheHeaderSaysTheSize) {
  for (const auto& [name, bytes] : samples_) {
    for (int channels = 1; channels <= 4; ++channels) {
      auto encoded = codec_->Open(bytes);
      ASSERT_TRUE(encoded.ok()) << name << " " << encoded.status();
      const auto image = (*encoded)->Decode(channels);
      ASSERT_TRUE(image.ok()) << name << " " << image.status();
      EXPECT_EQ(image->rows, (*encoded)->rows()) << name;
      EXPECT_EQ(image->cols, (*encoded)->cols()) << name;
      EXPECT_TRUE(image->depth() == CV_8U || image->depth() == CV_16U || image->depth() == CV_32F)
          << name;
      EXPECT_GE(image->channels(), 1) << name;
      EXPECT_LE(image->channels(), kMaxChannels) << name;
      EXPECT_EQ(DecodeImage(bytes, Options(channels))->channels(), channels) << name;
    }
  }
}

// Whatever was decoded before, and in which order.
TEST_P(CodecContract, AnImageIsAFunctionOfItsBytes) {
  std::map<std::string, cv::Mat> first;
  for (const auto& [name, bytes] : samples_) first[name] = Decoded(bytes).value();
  for (auto sample = samples_.rbegin(); sample != samples_.rend(); ++sample) {
    EXPECT_TRUE(SameImage(Decoded(sample->second).value(), first[sample->first]));
  }
}

// A file may end early in what is behind the pixels, and nowhere before.
TEST_P(CodecContract, ACutLosesNoPixelOrIsRefusedAndSpoilsNothing) {
  testing::internal::CaptureStderr();
  for (const auto& [name, bytes] : samples_) {
    const cv::Mat whole = Decoded(bytes).value();
    for (size_t size = 0; size < bytes.size(); ++size) {
      const std::string what = absl::StrCat(name, " cut to ", size);
      const auto image = Decoded(absl::string_view(bytes).substr(0, size));
      if (image.ok()) {
        ASSERT_TRUE(SameImage(*image, whole)) << what;
        ASSERT_GE(size + 24, bytes.size() * 9 / 10) << what;  // 24: of PNG
      } else {
        ExpectDamaged(image.status(), what);
      }
      ASSERT_TRUE(GoodImageDecodes()) << what;
    }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "the library prints";
}

// Formats without checksums cannot refuse every change; none may crash or spoil the next image.
TEST_P(CodecContract, ChangedBytesDoNoHarm) {
  base::Rng rng(1, base::Purpose::kTest);
  int refused = 0, changed = 0;
  for (const auto& [name, bytes] : samples_) {
    for (int trial = 0; trial < 100; ++trial, ++changed) {
      std::string damaged = bytes;
      for (int flips = rng.UniformInt(1, 4); flips > 0; --flips) {
        damaged[rng.UniformInt(0, damaged.size() - 1)] ^= 1 << rng.UniformInt(0, 7);
      }
      const auto image = Decoded(damaged);
      if (!image.ok()) ExpectDamaged(image.status(), name);
      refused += !image.ok();
    }
    ASSERT_TRUE(GoodImageDecodes()) << name;
  }
  EXPECT_GT(refused, changed / 20);
}

TEST_P(CodecContract, ThreadsMayDecodeAtOnce) {
  std::vector<std::pair<std::string, cv::Mat>> expected;
  for (const auto& [name, bytes] : samples_) {
    expected.emplace_back(bytes, Decoded(bytes).value());
  }
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const auto& [bytes, image] = expected[(i * 7 + t) % expected.size()];
        const auto decoded = Decoded(bytes);
        right += decoded.ok() && SameImage(*decoded, image);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 8 * 100);
}

INSTANTIATE_TEST_SUITE_P(All, CodecContract, testing::ValuesIn(Codecs().Names()),
                         [](const auto& info) { return info.param; });

TEST(CodecContractTest, IsOfSomething) { EXPECT_FALSE(Codecs().Names().empty()); }

}  // namespace
}  // namespace data
