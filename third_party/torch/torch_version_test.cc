// The LibTorch that is compiled against and the one that is loaded are the wheel that cpu.lock
// pins: a libtorch-dev of the system would mix in silently.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/version.h>

#include <fstream>
#include <string>

namespace at {
std::string show_config();  // of <ATen/Version.h>
}

namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(TorchVersionTest, HeadersAreOfTheLockedVersion) {
  std::string line;
  std::getline(std::ifstream("third_party/torch/cpu.lock"), line);
  EXPECT_THAT(line, StartsWith("torch==" TORCH_VERSION " "));
}

TEST(TorchVersionTest, LoadedLibraryIsTheWheels) {
  Dl_info library;
  ASSERT_NE(dladdr(reinterpret_cast<void*>(&at::show_config), &library), 0);
  EXPECT_THAT(library.dli_fname, HasSubstr("/_solib_"));  // Bazel's folder of such libraries
  EXPECT_THAT(at::show_config(), HasSubstr("TORCH_VERSION=" TORCH_VERSION));
}

}  // namespace
