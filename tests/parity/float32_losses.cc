// Prints, for float32_test.py, the losses of a run in float32: its settings in JSON, its steps.
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "tests/parity/run.h"

int main(int argc, char** argv) {
  int64_t steps = 0;
  if (argc != 3 || !absl::SimpleAtoi(argv[2], &steps)) return 2;
  parity::TrainingRun run(nlohmann::json::parse(argv[1]), at::kFloat);
  for (int64_t step = 0; step < steps; ++step) std::printf("%.9g\n", run.Step(step).loss);
}
