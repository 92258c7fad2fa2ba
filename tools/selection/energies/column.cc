// Energies that need the images and the checkpoint: //lincls:features computes them into columns of
// its table (lincls/tables/feature_table.h).
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "lincls/tables/feature_table.h"
#include "tools/selection/energy.h"

namespace selection {
namespace {

class Column : public Energy {
 public:
  explicit Column(const std::vector<double>& values) : values_(values.begin(), values.end()) {}

  int64_t neighbours() const override { return 0; }

  std::vector<float> Of(const lincls::FeatureTable&, const Neighbours&) const override {
    return values_;
  }

 private:
  const std::vector<float> values_;
};

struct NoOptions {
  template <class Visitor>
  void Visit(Visitor&) {}
};

absl::StatusOr<std::unique_ptr<Energy>> MakeColumn(const std::string& name,
                                                   const lincls::FeatureTable& table) {
  const auto column = table.columns.find(name);
  if (column == table.columns.end()) {
    std::string columns;  // the columns that the folder has, and this one
    for (const auto& [other, values] : table.columns) absl::StrAppend(&columns, other, ",");
    // The source of the features is known if //lincls:features made them. It does not extend an
    // existing folder, so the command names a new one.
    const std::string folder = std::filesystem::path(table.features.path()).parent_path();
    const bool known = !table.checkpoint.empty();
    return absl::InvalidArgumentError(absl::StrCat(
        "--energy=", name, " requires the column '", name, "', which the table of '",
        table.features.path(), "' does not have; compute features that have it: ",
        "bazel run //lincls:features -- ", known ? base::ShellQuoted(table.source.path) : "DATA",
        known ? absl::StrCat(" --pretrained=", base::ShellQuoted(table.checkpoint), " --split=",
                             table.split, " --out=", base::ShellQuoted(folder + "-" + name))
              : "",
        " --columns=", columns, name));
  }
  return std::make_unique<Column>(column->second);
}

absl::StatusOr<std::unique_ptr<Energy>> MakeDisagreement(const NoOptions&,
                                                         const lincls::FeatureTable& table) {
  return MakeColumn(lincls::kDisagreementColumn, table);
}
absl::StatusOr<std::unique_ptr<Energy>> MakeMocoLoss(const NoOptions&,
                                                     const lincls::FeatureTable& table) {
  return MakeColumn(lincls::kMocoLossColumn, table);
}

REGISTER_PLUGIN(Energies, lincls::kDisagreementColumn,
                "disagreement of augmented views of the image, from a column of the features",
                NoOptions, MakeDisagreement);
REGISTER_PLUGIN(Energies, lincls::kMocoLossColumn,
                "loss of the image in pretraining, from a column of the features", NoOptions,
                MakeMocoLoss);

}  // namespace
}  // namespace selection
