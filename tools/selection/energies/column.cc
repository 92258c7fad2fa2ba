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
    std::string columns;  // those that are there, and this one
    for (const auto& [other, values] : table.columns) absl::StrAppend(&columns, other, ",");
    // What the features are of is known where //lincls:features made them. It writes each folder
    // once.
    const std::string folder = std::filesystem::path(table.features.path()).parent_path();
    const bool known = !table.checkpoint.empty();
    return absl::InvalidArgumentError(absl::StrCat(
        "--energy=", name, " needs the column '", name, "', which the table of '",
        table.features.path(), "' does not have; make features that do: ",
        "bazel run //lincls:features -- ", known ? base::ShellQuoted(table.data) : "DATA",
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
                "of augmented views of the image, by the column of features", NoOptions,
                MakeDisagreement);
REGISTER_PLUGIN(Energies, lincls::kMocoLossColumn,
                "loss of the MoCo task, by the column of features", NoOptions, MakeMocoLoss);

}  // namespace
}  // namespace selection
