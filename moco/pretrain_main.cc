// //moco:pretrain, in one process.
#include "base/allocator.h"
#include "base/exit_code.h"
#include "moco/pretrain.h"

int main(int argc, char** argv) {
  base::KeepFreedMemory();
  return base::RunMain(
      [](int argc, char** argv) { return moco::Pretrain(argc, argv, moco::Alone()); }, argc, argv);
}
