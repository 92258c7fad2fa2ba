// Initial weights: one seed gives the reference's, bit for bit.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "moco/moco.h"
#include "tests/parity/golden.h"

namespace parity {
namespace {

TEST(Weights, OfEachSeedAreTheReferencesBits) {
  const auto communicator = moco::Communicators().Create("single").value();
  size_t compared = 0;
  for (const auto& golden : Golden("weights")) {
    const moco::MoCoOptions options{
        .encoder = {.backbone = golden["backbone"], .head = golden["head"]}};
    Seed(golden["seed"]);
    const auto moco = moco::MoCo::Create(options, *communicator).value();
    auto groups = Groups(moco->query_encoder().State(), "encoder_q.");
    groups.merge(Groups(moco->key_encoder().State(), "encoder_k."));
    groups["queue"] = {moco->queue().Transposed()};
    std::map<std::string, uint32_t> ours;
    for (const auto& [name, tensors] : groups) ours[name] = Crc32(tensors);
    const std::map<std::string, uint32_t> theirs = golden["crc32"];
    EXPECT_EQ(ours, theirs) << golden["backbone"] << " " << golden["head"] << " seed "
                            << golden["seed"];
    compared += theirs.size();
  }
  EXPECT_GT(compared, 0u);
}

}  // namespace
}  // namespace parity
