#include "moco/checkpoints/checkpoint.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <caffe2/serialize/inline_container.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "tensors/dtype.h"
#include "tensors/pickle.h"

namespace moco {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string Fresh(const std::string& name) {
  const std::string path = testing::TempDir() + "/" + name;
  std::filesystem::remove_all(path);
  return path;
}

Checkpoint Some() {
  Checkpoint c;
  c.epoch = 3;
  c.arch = "resnet50";
  c.state = {
      {"module.encoder_q.conv1.weight",
       at::arange(24, at::kFloat).view({2, 3, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast)},
      {"module.encoder_q.bn1.num_batches_tracked", at::full({}, 9, at::kLong)},
      {"module.queue", at::arange(6, at::kDouble).view({3, 2}).t()},
      {"empty", at::arange(0, at::kFloat)},
      {"half", at::arange(3, at::kBFloat16)}};
  c.optimizer.lr = 0.03;
  c.optimizer.constants = {{"momentum", {0.9}}};
  c.optimizer.parameters = 4;
  c.optimizer.slots = {{"momentum_buffer", {at::arange(2, at::kFloat), at::arange(5, at::kFloat)}}};
  c.numbers = {{"best_acc1", 41.5}};
  c.facts.step = 17;
  c.facts.settings = {{"text", "with \"quotes\" and ümlaut"}};
  return c;
}

std::string Error(const std::string& path) {
  const auto read = ReadCheckpoint(path);
  EXPECT_FALSE(read.ok());
  const std::string message(read.status().message());
  EXPECT_THAT(message, HasSubstr(path));
  EXPECT_FALSE(absl::StrContains(message, "\n"));
  return message;
}

TEST(CheckpointTest, WhatIsWrittenIsRead) {
  const std::string path = Fresh("c.pth.tar");
  const Checkpoint written = Some();
  ASSERT_TRUE(WriteCheckpoint(path, written).ok());
  const auto read = ReadCheckpoint(path);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->epoch, 3);
  EXPECT_EQ(read->arch, "resnet50");
  ASSERT_EQ(read->state.size(), written.state.size());
  for (size_t i = 0; i < written.state.size(); ++i) {
    EXPECT_EQ(read->state[i].first, written.state[i].first);
    EXPECT_EQ(read->state[i].second.scalar_type(), written.state[i].second.scalar_type());
    EXPECT_TRUE(at::equal(read->state[i].second, written.state[i].second))
        << written.state[i].first;
  }
  EXPECT_EQ(read->optimizer.lr, 0.03);
  EXPECT_EQ(read->optimizer.parameters, 4);
  ASSERT_EQ(read->optimizer.slots.size(), 1u);
  EXPECT_EQ(read->optimizer.slots[0].first, "momentum_buffer");
  EXPECT_TRUE(at::equal(read->optimizer.slots[0].second[1], written.optimizer.slots[0].second[1]));
  EXPECT_EQ(read->numbers, written.numbers);
  EXPECT_EQ(read->facts, written.facts);
}

TEST(CheckpointTest, ReadsTheReference) {
  const auto read = ReadCheckpoint("moco/checkpoints/testdata/reference_checkpoint.pth.tar");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->epoch, 7);
  EXPECT_EQ(read->arch, "resnet50");
  const StateDict q = Below(read->state, "module.encoder_q.");
  ASSERT_EQ(q.size(), 8u);
  EXPECT_EQ(q[0].first, "conv1.weight");
  EXPECT_TRUE(at::equal(q[0].second, at::arange(6, at::kFloat).view({2, 3, 1, 1})));
  EXPECT_EQ(q[5].first, "bn1.num_batches_tracked");
  const StateDict k = Below(read->state, "module.encoder_k.");
  EXPECT_EQ(k[6].first, "fc.weight");
  EXPECT_TRUE(at::equal(k[6].second, at::arange(4, at::kFloat).view({2, 2}) + 130));
  EXPECT_EQ(read->optimizer.lr, 0.03);
  EXPECT_EQ(read->optimizer.parameters, 10);
  ASSERT_EQ(read->optimizer.slots.size(), 1u);
  const auto& velocity = read->optimizer.slots[0].second;
  ASSERT_EQ(velocity.size(), 5u);  // the key encoder's parameters have none
  EXPECT_TRUE(at::equal(velocity[0], q[0].second + 0.5));
}

// Files of other programs, with the same tensors in each; tensors/tensor_file_test.cc looks at them
// all.
TEST(CheckpointTest, ReadsEveryFormat) {
  const std::string folder = "tensors/testdata/tensor_files/";
  const auto zip = ReadCheckpoint(folder + "zip.pth.tar");
  ASSERT_TRUE(zip.ok()) << zip.status();
  ASSERT_EQ(zip->state.size(), 19u);
  EXPECT_EQ(zip->optimizer.lr, 0.03);
  for (const char* name : {"legacy.pth.tar", "bare.pth", "plain.safetensors"}) {
    const auto other = ReadCheckpoint(folder + name);
    ASSERT_TRUE(other.ok()) << other.status();
    EXPECT_TRUE(CheckEqual(zip->state, other->state).ok()) << name;
  }
  const auto vissl = ReadCheckpoint(folder + "vissl.torch");
  ASSERT_TRUE(vissl.ok()) << vissl.status();
  const StateDict trunk = Below(vissl->state, "classy_state_dict.base_model.model.trunk.");
  EXPECT_TRUE(CheckEqual(zip->state, trunk).ok());
  const auto arrays = ReadCheckpoint(folder + "arrays.pkl");
  ASSERT_TRUE(arrays.ok()) << arrays.status();
  EXPECT_EQ(arrays->state.size(), 12u);
  const StateDict views = Below(zip->state, "transpose");
  ASSERT_EQ(views.size(), 1u);
  EXPECT_TRUE(
      at::equal(views[0].second, at::arange(24, at::kFloat).view({2, 3, 4}).permute({2, 0, 1})));
}

TEST(CheckpointTest, OnlyTensorsAreTaken) {
  EXPECT_THAT(Error("tensors/testdata/tensor_files/label.pt"), HasSubstr("no dict"));
  const std::string path = Fresh("hostile.pth.tar");
  const std::string system =
      absl::StrCat("cos\nsystem\n", absl::string_view("X\x04\0\0\0true\x85R", 11));
  const std::string x("X\x01\0\0\0x", 6);
  for (const std::string& pickle :
       {"}" + std::string("X\x0a\0\0\0state_dict", 15) + "}" + x + system + "ss.",
        "}" + std::string("X\x0a\0\0\0state_dict", 15) + system + "s.", "}" + x + system + "s.",
        system + "."}) {
    std::string bytes;
    {
      caffe2::serialize::PyTorchStreamWriter archive([&](const void* data, size_t size) {
        bytes.append(static_cast<const char*>(data), size);
        return size;
      });
      archive.writeRecord("data.pkl", pickle.data(), pickle.size());
      archive.writeEndOfFile();
    }
    ASSERT_TRUE(base::WriteFileAtomically(path, bytes).ok());
    const std::string error = Error(path);
    EXPECT_THAT(error, HasSubstr("os.system"));
  }
}

TEST(CheckpointTest, TensorsInListsAreTaken) {
  tensors::pickle::TensorInfo info;
  info.key = "0";
  info.sizes = {2};
  ASSERT_TRUE(info.SetContiguous(tensors::kDTypes[0], 8));
  tensors::pickle::Writer out;
  out.BeginDict();
  for (const char* entry : {"networks", "optimizer_states"}) {
    out.Text(entry);
    out.BeginList();
    out.Int(1);
    out.BeginDict();
    out.Text("w");
    out.Tensor(info);
    out.EndDict();
    out.EndList();
  }
  out.EndDict();
  const std::string pickle = out.Finish();
  const std::string path = Fresh("lists.pth");
  std::string bytes;
  {
    caffe2::serialize::PyTorchStreamWriter archive([&](const void* data, size_t size) {
      bytes.append(static_cast<const char*>(data), size);
      return size;
    });
    const float values[] = {3, 4};
    archive.writeRecord("data.pkl", pickle.data(), pickle.size());
    archive.writeRecord("data/0", values, sizeof(values));
    archive.writeEndOfFile();
  }
  ASSERT_TRUE(base::WriteFileAtomically(path, bytes).ok());
  const auto read = ReadCheckpoint(path);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->state.size(), 1u);
  EXPECT_EQ(read->state[0].first, "networks.1.w");
  EXPECT_EQ(read->state[0].second[1].item<float>(), 4);
}

// What MMEngine and timm's folders say of a network.
TEST(CheckpointTest, TheNetworksNameMayBeElsewhere) {
  const std::string folder = Fresh("hub");
  ASSERT_TRUE(base::MakeFolders(folder).ok());
  const std::string config = R"({"architecture": "resnetaa50", "pretrained_cfg": {}})";
  ASSERT_TRUE(base::WriteFileAtomically(folder + "/config.json", config).ok());
  const std::string path = folder + "/pytorch_model.bin";
  ASSERT_TRUE(WriteStateDict(path, Some().state).ok());
  EXPECT_EQ(ReadCheckpoint(path).value().arch, "resnetaa50");
  ASSERT_TRUE(WriteCheckpoint(path, Some()).ok());
  EXPECT_EQ(ReadCheckpoint(path).value().arch, "resnet50");
}

TEST(CheckpointTest, EveryCutIsRefused) {
  const std::string path = Fresh("cut.pth.tar");
  ASSERT_TRUE(WriteCheckpoint(path, Some()).ok());
  const std::string whole = base::ReadFile(path).value();
  for (size_t size = 0; size < whole.size(); size += size < 300 ? 1 : 37) {
    ASSERT_TRUE(base::WriteFileAtomically(path, whole.substr(0, size)).ok());
    const auto code = ReadCheckpoint(path).status().code();
    EXPECT_TRUE(code == absl::StatusCode::kDataLoss || size == 1) << size;
  }
}

TEST(CheckpointTest, ChangedTensorsAreNoticed) {
  const std::string path = Fresh("changed.pth.tar");
  Checkpoint c = Some();
  c.state = {{"x", at::full({64}, 1.5, at::kFloat)}};
  ASSERT_TRUE(WriteCheckpoint(path, c).ok());
  std::string bytes = base::ReadFile(path).value();
  const size_t at = bytes.find(std::string("\x00\x00\xc0\x3f\x00\x00\xc0\x3f", 8));
  ASSERT_NE(at, std::string::npos);
  bytes[at] ^= 1;
  ASSERT_TRUE(base::WriteFileAtomically(path, bytes).ok());
  EXPECT_THAT(Error(path), HasSubstr("is damaged"));
}

TEST(CheckpointTest, OtherFilesAreNamedForWhatTheyAre) {
  const std::string folder = Fresh("folder");
  ASSERT_TRUE(base::MakeFolders(folder).ok());
  EXPECT_THAT(Error(folder), HasSubstr("is a folder"));
  EXPECT_THAT(Error(folder + "/absent"), HasSubstr("No such file"));
  const std::string text = folder + "/text";
  ASSERT_TRUE(base::WriteFileAtomically(text, "hello").ok());
  EXPECT_THAT(Error(text), HasSubstr("is not a checkpoint"));
  ASSERT_TRUE(base::WriteFileAtomically(text, "").ok());
  EXPECT_THAT(Error(text), HasSubstr("it is empty"));
}

// What a full disk does: writing fails beyond some size.
TEST(CheckpointTest, AFailedWriteLeavesTheOldFile) {
  const std::string folder = Fresh("full");
  ASSERT_TRUE(base::MakeFolders(folder).ok());
  const std::string path = folder + "/c.pth.tar";
  ASSERT_TRUE(WriteCheckpoint(path, Some()).ok());
  const std::string before = base::ReadFile(path).value();

  Checkpoint large = Some();
  large.state.emplace_back("large", at::full({100000}, 1, at::kFloat));
  rlimit old;
  getrlimit(RLIMIT_FSIZE, &old);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  for (rlim_t limit : {0, 64, 1000, 5000, 100000}) {
    const rlimit tight = {limit, old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &tight);
    const absl::Status status = WriteCheckpoint(path, large);
    setrlimit(RLIMIT_FSIZE, &old);
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(std::string(status.message()), HasSubstr("cannot write"));
    EXPECT_EQ(base::ReadFile(path).value(), before);
    int files = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++files;
    EXPECT_EQ(files, 1) << "a temporary file was left";
  }
  std::signal(SIGXFSZ, handler);
}

TEST(CheckpointTest, NamesAreInOrderOfTime) {
  const std::string folder = Fresh("names");
  ASSERT_TRUE(base::MakeFolders(folder + "/checkpoints").ok());
  for (const std::string& name :
       {CheckpointName(kCheckpoints, 10, 5, 40), CheckpointName(kCheckpoints, 9, 40, 40),
        CheckpointName(kCheckpoints, 10, 40, 40), CheckpointName(kCheckpoints, 10, 12, 40),
        CheckpointName(kFlatCheckpoints, 10, 6, 40), std::string("checkpoints/other.pth.tar"),
        std::string("checkpoints/checkpoint_x.pth.tar"), std::string("checkpoint_0011.pth.tar")}) {
    ASSERT_TRUE(base::WriteFileAtomically(absl::StrCat(folder, "/", name), "").ok());
  }
  EXPECT_THAT(ListCheckpoints(folder),
              ElementsAre(EndsWith("/checkpoints/checkpoint_0009.pth.tar"),
                          EndsWith("/checkpoints/checkpoint_0010_step_00005.pth.tar"),
                          EndsWith("/moco_unsupervised_0010_step_00006.pth.tar"),
                          EndsWith("/checkpoints/checkpoint_0010_step_00012.pth.tar"),
                          EndsWith("/checkpoints/checkpoint_0010.pth.tar")));
  EXPECT_TRUE(ListCheckpoints(folder + "/absent").empty());
}

TEST(CheckpointTest, OldOnesLeave) {
  const std::string folder = Fresh("old");
  ASSERT_TRUE(base::MakeFolders(folder + "/checkpoints").ok());
  const auto add = [&](int64_t epoch, int64_t steps) {
    const std::string path =
        absl::StrCat(folder, "/", CheckpointName(kCheckpoints, epoch, steps, 40));
    ASSERT_TRUE(base::WriteFileAtomically(path, "").ok());
  };
  add(7, 40);
  for (int64_t steps : {10, 20, 30}) add(8, steps);
  RemoveOldCheckpoints(folder, 0);
  EXPECT_THAT(ListCheckpoints(folder),
              ElementsAre(EndsWith("_0007.pth.tar"), EndsWith("_0008_step_00020.pth.tar"),
                          EndsWith("_0008_step_00030.pth.tar")));
  add(8, 40);
  add(9, 40);
  RemoveOldCheckpoints(folder, 0);
  EXPECT_THAT(
      ListCheckpoints(folder),
      ElementsAre(EndsWith("_0007.pth.tar"), EndsWith("_0008.pth.tar"), EndsWith("_0009.pth.tar")));
  RemoveOldCheckpoints(folder, 2);
  EXPECT_THAT(ListCheckpoints(folder),
              ElementsAre(EndsWith("_0008.pth.tar"), EndsWith("_0009.pth.tar")));
}

// The folder of the test.
std::string TestFolder() {
  const std::string folder = ::testing::TempDir() + "/newest_checkpoint";
  std::filesystem::create_directories(folder);
  return folder;
}

class NewestCheckpointTest : public ::testing::Test {
 protected:
  // An empty file is enough: names and times decide.
  std::string Make(const std::string& name, int age) {
    const std::filesystem::path path = TestFolder() + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::fclose(std::fopen(path.c_str(), "w"));
    std::filesystem::last_write_time(
        path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(age));
    return path;
  }
};

TEST_F(NewestCheckpointTest, OfTheRunThatWroteLast) {
  EXPECT_TRUE(absl::IsNotFound(NewestCheckpoint(TestFolder() + "/none").status()));
  EXPECT_TRUE(absl::IsNotFound(NewestCheckpoint(TestFolder()).status()));
  Make("a/checkpoints/checkpoint_0007.pth.tar", 3);
  Make("b/checkpoints/checkpoint_0001.pth.tar", 2);
  const std::string newest = Make("b/checkpoints/checkpoint_0002.pth.tar", 2);
  Make("c/checkpoints/checkpoint_0009.pth.tar", 4);
  Make("d-lincls/checkpoints/checkpoint.pth.tar", 1);
  EXPECT_EQ(NewestCheckpoint(TestFolder()).value(), newest);
  EXPECT_EQ(NewestCheckpoint(TestFolder() + "/b").value(), newest);
  Make("dcp/.metadata", 1);
  const absl::Status distributed = NewestCheckpoint(TestFolder() + "/dcp").status();
  EXPECT_TRUE(absl::IsInvalidArgument(distributed)) << distributed;
  EXPECT_THAT(std::string(distributed.message()), HasSubstr("dcp_to_torch"));
  // Another program's folder.
  const std::string weights = Make("hub/model.safetensors", 1);
  const absl::Status other = NewestCheckpoint(TestFolder() + "/hub").status();
  EXPECT_TRUE(absl::IsInvalidArgument(other)) << other;
  EXPECT_THAT(std::string(other.message()), HasSubstr(weights));
}

}  // namespace
}  // namespace moco
