// Folders that timm, transformers and the Hugging Face hub load: config.json, model.safetensors and
// README.md, a model card.
#ifndef TOOLS_TIMM_FOLDER_H_
#define TOOLS_TIMM_FOLDER_H_

#include <string>

#include "absl/status/status.h"
#include "tools/exported.h"

namespace tools {

inline constexpr char kTimmConfig[] = "config.json", kTimmWeights[] = "model.safetensors",
                      kTimmCard[] = "README.md";

// InvalidArgument, to be read after the checkpoint's name, if timm has no architecture for the
// network, or cannot state its preprocessing.
absl::Status CheckTimm(const Exported& exported);

// Writes the folder under a temporary name and renames it, so that it appears whole or not at all.
// The folder must be new, or empty: AlreadyExists if not, since the card may have been edited.
// Otherwise the errors of CheckTimm.
absl::Status WriteTimmFolder(const std::string& path, const Exported& exported);

}  // namespace tools

#endif  // TOOLS_TIMM_FOLDER_H_
