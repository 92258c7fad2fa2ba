#include "base/event_file.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"

namespace base {
namespace {

std::string Hex(const std::string& bytes) { return absl::BytesToHexString(bytes); }

// Written by TensorBoard 2.21.0's own RecordWriter with its own messages.
TEST(EventFileTest, TheBytesAreTensorBoards) {
  EXPECT_EQ(Hex(EventFileVersion(1.5)),
            "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c");
  EXPECT_EQ(Hex(SessionStart(2.5, 7)),
            "0f000000000000006d532b0909000000000000044010073a0208019aaf83ce");
  EXPECT_EQ(
      Hex(ScalarEvent(3.25, 300, {{"loss", 0.1}, {"top1", 0}})),
      "2800000000000000ff70164a090000000000000a4010ac022a1a0a0b0a046c6f737315cdcccc3d0a0b0a04746f7"
      "0311500000000fb4598b3");
}

}  // namespace
}  // namespace base
