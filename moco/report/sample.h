// The sample of images of which a run of pretraining keeps its encoder's features, for the map and
// the neighbours of its report.
#ifndef MOCO_REPORT_SAMPLE_H_
#define MOCO_REPORT_SAMPLE_H_

#include "data/dataset.h"
#include "moco/report/image_features.h"
#include "moco/report/run.h"

namespace report {

// The files in the run folder:
//   sample/images.csv   index,file: a line for each row, the images of the data set
//   sample/start.npy    the features of the encoder before training, as unit vectors (float16)
//   sample/now.npy      the same of the encoder at `now`
inline constexpr char kSampleFolder[] = "sample";
inline constexpr char kSampleImages[] = "images.csv";
inline constexpr char kSampleStart[] = "start.npy";
inline constexpr char kSampleNow[] = "now.npy";

// The sections of the run's sample. `dataset` as in ReportOptions. Empty for other programs than
// pretrain. Where there is no sample, or it is damaged, the section says so.
FeatureSections ShowSample(const Run& run, const data::Dataset* dataset);

}  // namespace report

#endif  // MOCO_REPORT_SAMPLE_H_
