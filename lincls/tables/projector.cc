#include "lincls/tables/projector.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <opencv2/core/mat.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "base/files.h"
#include "base/rng.h"
#include "data/contact_sheet.h"
#include "data/encode.h"

namespace lincls {
namespace {

constexpr int64_t kMaxSpriteSide = 8192;
constexpr int64_t kMaxTile = 32;

// Returns the rows to show, in ascending order.
std::vector<int64_t> Sample(int64_t rows, int64_t most, uint64_t seed) {
  if (rows <= most) {
    std::vector<int64_t> all(rows);
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  std::vector<int64_t> sample = base::Rng(seed, base::Purpose::kSample).Permutation(rows);
  sample.resize(most);
  std::sort(sample.begin(), sample.end());
  return sample;
}

// A field of a tsv file.
std::string Field(const std::string& text) {
  return absl::StrReplaceAll(text, {{"\t", " "}, {"\n", " "}, {"\r", " "}});
}

absl::Status WriteTensors(const FeatureTable& table, const std::vector<int64_t>& sample,
                          const std::string& path) {
  std::vector<float> row(table.features.columns());
  return base::WriteFileAtomically(path, [&](const base::Sink& sink) -> absl::Status {
    for (const int64_t i : sample) {
      table.features.Read(i, 1, row.data());
      if (absl::Status s = CheckFinite(table, i, 1, row.data()); !s.ok()) return s;
      std::string line;
      for (size_t j = 0; j < row.size(); ++j) {
        absl::StrAppendFormat(&line, "%s%.6g", j == 0 ? "" : "\t", row[j]);
      }
      line += '\n';
      if (absl::Status s = sink(line.data(), line.size()); !s.ok()) return s;
    }
    return absl::OkStatus();
  });
}

std::string Metadata(const FeatureTable& table, const std::vector<int64_t>& sample) {
  std::string text = "file\tclass";
  for (const auto& [name, values] : table.columns) absl::StrAppend(&text, "\t", Field(name));
  text += '\n';
  for (const int64_t i : sample) {
    const int label = table.labels[i];
    absl::StrAppend(&text, Field(table.files[i]), "\t",
                    label < 0               ? "none"
                    : table.classes.empty() ? absl::StrCat(label)
                                            : Field(table.classes[label]));
    for (const auto& [name, values] : table.columns)
      absl::StrAppendFormat(&text, "\t%.6g", values[i]);
    text += '\n';
  }
  return text;
}

}  // namespace

absl::StatusOr<int64_t> WriteProjector(const FeatureTable& table, int64_t most, uint64_t seed,
                                       const std::string& folder) {
  const auto images = OpenImages(table);
  if (!images.ok()) return images.status();
  const std::vector<int64_t> sample = Sample(table.size(), most, seed);
  const int64_t n = static_cast<int64_t>(sample.size());
  const int64_t columns = static_cast<int64_t>(std::ceil(std::sqrt(n)));
  const int64_t tile = std::min(kMaxTile, kMaxSpriteSide / columns);
  std::vector<int64_t> shown;
  for (const int64_t row : sample) shown.push_back(images->indices[row]);

  if (absl::Status s = base::MakeFolders(folder); !s.ok()) return s;
  if (absl::Status s = WriteTensors(table, sample, folder + "/tensors.tsv"); !s.ok()) return s;
  const std::string sprite = data::EncodePng(data::ContactSheet(
      *images->dataset, shown, static_cast<int>(columns), static_cast<int>(tile)));
  // The file that refers to the others is written last.
  for (const auto& [name, contents] :
       {std::pair<std::string, std::string>("/metadata.tsv", Metadata(table, sample)),
        {"/sprite.png", sprite},
        {"/projector_config.pbtxt",
         absl::StrCat("embeddings {\n  tensor_name: \"", table.name,
                      "\"\n  tensor_path: \"tensors.tsv\"\n  metadata_path: \"metadata.tsv\"\n",
                      "  sprite {\n    image_path: \"sprite.png\"\n    single_image_dim: ", tile,
                      "\n    single_image_dim: ", tile, "\n  }\n}\n")}}) {
    if (absl::Status s = base::WriteFileAtomically(folder + name, contents); !s.ok()) return s;
  }
  return n;
}

}  // namespace lincls
