// For tests: writes a checkpoint of pretraining with an untrained encoder.
//   untrained_checkpoint SPEC EVAL_VIEWS FILE SEED
#include <ATen/Context.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "base/exit_code.h"
#include "lincls/encoders/frozen_backbone.h"
#include "moco/backbones/backbone.h"
#include "moco/checkpoints/checkpoint.h"
#include "moco/checkpoints/state_dict.h"

namespace {

absl::Status Write(int argc, char** argv) {
  if (argc != 5)
    return absl::InvalidArgumentError("usage: untrained_checkpoint SPEC EVAL_VIEWS FILE SEED");
  at::manual_seed(std::strtoull(argv[4], nullptr, 10));
  auto spec = moco::Backbones().Canonical(argv[1]);
  if (!spec.ok()) return spec.status();
  auto backbone = moco::Backbones().Create(*spec, moco::BackboneContext{});
  if (!backbone.ok()) return backbone.status();
  (*backbone)->Initialize();
  moco::Checkpoint checkpoint;
  checkpoint.arch = spec->substr(0, spec->find(':'));
  checkpoint.state = moco::GetState(**backbone, lincls::kPretrained);
  checkpoint.facts.settings = {{moco::kArchSetting, *spec}, {moco::kEvalViewsSetting, argv[2]}};
  return moco::WriteCheckpoint(argv[3], checkpoint);
}

}  // namespace

int main(int argc, char** argv) { return base::RunMain(Write, argc, argv); }
