#include "registry/catalogue.h"

#include <gtest/gtest.h>

#include "registry/registry.h"

namespace registry {
namespace {

struct Shape {};

struct SquareOptions {
  double side = 2;
  std::string note;
  template <class Visitor>
  void Visit(Visitor& v) {
    v("side", side, "length of an edge", Positive());
    v("note", note, "any text | or none");
  }
};

struct NoOptions {
  template <class Visitor>
  void Visit(Visitor&) {}
};

template <class Options>
absl::StatusOr<std::unique_ptr<Shape>> Make(const Options&) {
  return std::make_unique<Shape>();
}

class CatalogueTest : public testing::Test {
 protected:
  CatalogueTest() : shapes("shape"), lines("line") {
    EXPECT_TRUE(shapes.Add<SquareOptions>("square", "four equal edges", Make<SquareOptions>).ok());
    EXPECT_TRUE(shapes.Add<NoOptions>("dot", "no edge", Make<NoOptions>).ok());
    EXPECT_TRUE(lines.Add<NoOptions>("straight", "the shortest", Make<NoOptions>).ok());
  }
  Registry<Shape> shapes, lines;
};

TEST_F(CatalogueTest, IsSortedAndComplete) {
  EXPECT_EQ(Catalogue(),
            "line straight: the shortest\n"
            "shape dot: no edge\n"
            "shape square: four equal edges\n"
            "    side=2 (number, above 0) length of an edge\n"
            "    note= (text) any text | or none\n");
}

TEST_F(CatalogueTest, Markdown) {
  EXPECT_EQ(MarkdownCatalogue(), R"(
## line

### `straight`

the shortest

## shape

### `dot`

no edge

### `square`

four equal edges

| option | default | type | range | meaning |
| --- | --- | --- | --- | --- |
| `side` | `2` | number | above 0 | length of an edge |
| `note` |  | text |  | any text \| or none |
)");
}

}  // namespace
}  // namespace registry
