#include "moco/training/run_description.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "base/files.h"

namespace moco {

absl::Status WriteRunDescription(const base::RunFolder& folder, const std::string& flagfile,
                                 int loader_threads) {
  absl::Status s = base::WriteFileAtomically(folder.File("flags.txt"), flagfile);
  if (!s.ok()) return s;
  nlohmann::json environment = base::DescribeMachine();
  environment["libtorch"] = TORCH_VERSION;
  environment["blas"] = at::get_mkl_version();
  environment["convolutions"] = at::get_mkldnn_version();
  environment["instructions"] = at::get_cpu_capability();
  environment["threads"] = at::get_num_threads();
  environment["loader_threads"] = loader_threads;
  return base::WriteFileAtomically(folder.File("environment.json"), environment.dump(2) + "\n");
}

std::string CpuForResults() {
  return absl::StrCat(base::DescribeMachine().value("cpu", "unknown"), ", ",
                      at::get_cpu_capability());
}

}  // namespace moco
