#include "moco/training/footprint.h"

#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/disk.h"
#include "base/progress.h"
#include "tensors/memory.h"

namespace moco {

absl::StatusOr<Footprint> MeasureFootprint(const MoCoOptions& options,
                                           const augment::ImageType& view, double batch) {
  auto encoder = Encoder::Create(options.encoder);
  if (!encoder.ok()) return encoder.status();
  (*encoder)->To(at::kCPU, options.dtype);
  // Two images per part, or one if a part has one in training.
  const int64_t splits = options.encoder.bn_splits;
  const int64_t images = splits * (batch / options.accumulate / splits < 2 ? 1 : 2);
  const at::Tensor input = at::zeros({images, view.channels, view.rows, view.cols}, options.dtype)
                               .contiguous(at::MemoryFormat::ChannelsLast);
  const size_t before = tensors::MemoryInUse();
  at::Tensor output;
  try {
    output = (**encoder)(input);
  } catch (const c10::ValueError& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(error.what_without_backtrace(),
                     "; raise --batch-size or --image-size, or lower --bn-splits or --accumulate"));
  }
  const double activations = static_cast<double>(tensors::MemoryInUse() - before) / images;

  double weights = 0;
  for (const auto& [name, tensor] : (*encoder)->State()) weights += tensor.nbytes();
  const double width = at::elementSize(options.dtype);
  const double queue = width * (*encoder)->dim() * options.queue_size;
  const double loader = 3 * 2 * 4.0 * view.channels * view.rows * view.cols * batch;
  const double micro = batch / options.accumulate;
  const double logits = 3 * width * micro * options.queue_size;
  Footprint footprint;
  footprint.memory = 4 * weights + queue + loader + logits + 1.3 * activations * micro + 300e6;
  footprint.checkpoint = 3 * weights + queue;
  return footprint;
}

double PhysicalMemory() {
  return static_cast<double>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);
}

std::string MemoryWarning(const Footprint& footprint) {
  const double physical = PhysicalMemory();
  if (footprint.memory <= physical) return "";
  return absl::StrCat("warning: the run needs about ", base::FormatBytes(footprint.memory),
                      " of memory, and the machine has ", base::FormatBytes(physical),
                      "; lower --batch-size or --moco-k, or raise --accumulate");
}

std::string DiskWarning(const Footprint& footprint, int64_t checkpoints,
                        const std::string& run_folder) {
  if (run_folder.empty()) return "";
  const auto free = base::FreeBytes(run_folder);
  if (!free || *free >= checkpoints * footprint.checkpoint) return "";
  return absl::StrCat("warning: only ", base::FormatBytes(*free), " are free in '", run_folder,
                      "'; keep fewer checkpoints (--keep=3), or choose another --run-dir");
}

std::vector<std::string> DescribeFootprint(const Footprint& footprint, int64_t checkpoints,
                                           const std::string& run_folder) {
  const double on_disk = checkpoints * footprint.checkpoint;
  std::vector<std::string> lines = {absl::StrFormat(
      "needs    about %s of memory; %d checkpoints of %s (%s on disk); an estimate of the time "
      "follows after 20 steps",
      base::FormatBytes(footprint.memory), checkpoints, base::FormatBytes(footprint.checkpoint),
      base::FormatBytes(on_disk))};
  const std::string warning = DiskWarning(footprint, checkpoints, run_folder);
  if (!warning.empty()) lines.push_back(warning);
  return lines;
}

}  // namespace moco
