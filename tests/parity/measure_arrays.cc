// The measures without labels of arrays, for measures_test.py: each array on the standard input is
// a line "N V D" and N V D float64. The first view of each image is also its plain one. The answer
// is a line with every measure, in the order of moco::MeasureNames.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>
#include <cstdio>
#include <iostream>
#include <string>

#include "moco/measures/label_free.h"
#include "moco/measures/measure_names.h"

int main() {
  for (const moco::MeasureName& measure : moco::MeasureNames()) {
    std::printf("%s ", measure.name.c_str());
  }
  std::printf("\n");
  int64_t n, v, d;
  while (std::cin >> n >> v >> d) {
    std::cin.get();  // the end of the line
    const at::Tensor views = at::empty({n, v, d}, at::kDouble);
    const std::streamsize bytes = views.numel() * static_cast<std::streamsize>(sizeof(double));
    if (!std::cin.read(static_cast<char*>(views.data_ptr()), bytes)) return 1;
    for (const double value : moco::MeasureAll({views.select(1, 0), views})) {
      std::printf("%.17g ", value);
    }
    std::printf("\n");
  }
  return 0;
}
