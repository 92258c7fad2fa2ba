// Prints every plugin: kind, name, summary and options.
//
//   bazel run //tools:plugins
#include <gflags/gflags.h>

#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "base/program.h"
#include "registry/catalogue.h"

DEFINE_bool(markdown, false, "[output] print the page docs/plugins.md");

namespace {

constexpr char kUsage[] =
    "Prints every plugin of MoCo++: kind, name, summary, and its options with default, type, range "
    "and meaning.\n";

constexpr char kPage[] =
    R"(<!-- Generated: bazel run //tests/plugins:update -->
# Plugins

Flags take a plugin and its options as a spec, `name:key=value,key=value`; specs joined by `|` make a
pipeline. Options that are not given have their defaults. Codecs are not given to flags: images are
recognised by content. [Adding a plugin](adding_a_plugin.md) explains how to add to this list.
)";

absl::Status PrintPlugins(const base::Arguments&) {
  const std::string text =
      FLAGS_markdown ? kPage + registry::MarkdownCatalogue() : registry::Catalogue();
  std::fputs(text.c_str(), stdout);
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) { return base::Main(argc, argv, {.usage = kUsage}, PrintPlugins); }
