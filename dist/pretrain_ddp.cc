// //dist:pretrain_ddp: //moco:pretrain in several processes, on one machine or many.
#include "base/exit_code.h"
#include "base/short_spins.h"
#include "dist/connect.h"
#include "moco/pretrain.h"
#include "tensors/memory.h"

int main(int argc, char** argv) {
  tensors::KeepFreedMemory();
  const base::ShortSpins spins;
  return base::RunMain(
      [](int argc, char** argv) { return moco::Pretrain(argc, argv, dist::Processes()); }, argc,
      argv);
}
