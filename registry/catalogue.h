// The list of all plugins that are linked into a program, as text and as a Markdown page.
#ifndef REGISTRY_CATALOGUE_H_
#define REGISTRY_CATALOGUE_H_

#include <string>

namespace registry {

// Lists every plugin, sorted by kind and name: a line `kind name: summary`, then an indented line
// for each option.
std::string Catalogue();

// The same as a Markdown page, with a section for each kind and a table for each plugin that has
// options.
std::string MarkdownCatalogue();

}  // namespace registry

#endif  // REGISTRY_CATALOGUE_H_
