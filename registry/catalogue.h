// What a program offers: every plugin linked into it, for people and for pages.
#ifndef REGISTRY_CATALOGUE_H_
#define REGISTRY_CATALOGUE_H_

#include <string>

namespace registry {

// Every table of the process, sorted by kind and name: `kind name: summary` on a line of its own,
// then a line for each option, which starts with white space.
std::string Catalogue();

// The same as a Markdown page: a section for each kind, a table for each plugin that has options.
std::string MarkdownCatalogue();

}  // namespace registry

#endif  // REGISTRY_CATALOGUE_H_
