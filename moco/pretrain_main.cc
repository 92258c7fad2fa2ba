// //moco:pretrain, in one process.
#include "base/exit_code.h"
#include "base/short_spins.h"
#include "moco/pretrain.h"
#include "tensors/memory.h"

int main(int argc, char** argv) {
  tensors::KeepFreedMemory();
  const base::ShortSpins spins;
  return base::RunMain(
      [](int argc, char** argv) { return moco::Pretrain(argc, argv, moco::Alone()); }, argc, argv);
}
