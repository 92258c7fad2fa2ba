// Flags that several programs share: type, default, range and text are stated once, here. The main
// file of a program names the ones that it has, at the top level.
#ifndef BASE_SHARED_FLAGS_H_
#define BASE_SHARED_FLAGS_H_

#include <gflags/gflags.h>

#define MOCOPP_COLUMNS_FLAG                                                                      \
  DEFINE_string(columns, "",                                                                     \
                "[data] columns of a list that name the images and state their labels, such as " \
                "image_id,breed, or their numbers from 1; empty: find them by their names")

// Where data are, beside their path, and how images are decoded. MOCOPP_DATA_SOURCE makes a
// data::DataSource of it. A program that has other --columns names MOCOPP_PLACE_FLAGS and
// MOCOPP_PLACE_SOURCE instead.
#define MOCOPP_PLACE_FLAGS                                                                        \
  DEFINE_string(dataset, "", "[data] data set format (a plugin name or spec); empty: detect it"); \
  DEFINE_string(val, "",                                                                          \
                "[data] the validation images, in any format, if they are not a part of the "     \
                "data; the data may then be training images as a whole");                         \
  DEFINE_string(image_key, "",                                                                    \
                "[data] which image to use where samples in tar archives have several: an "       \
                "extension such as jpg or seg.png, or more with commas between them; empty: "     \
                "that of one part");                                                              \
  DEFINE_string(exif, "ignore",                                                                   \
                "[data: ignore | apply] Exif orientation of images: ignore it, as torchvision's " \
                "ImageFolder does, or turn the images upright");                                  \
  DEFINE_int64(max_megapixels, 100,                                                               \
               "[data: 1 to 2000] millions of pixels above which an image is not read");          \
  DEFINE_string(pages, "first",                                                                   \
                "[data: first | images | channels] what of TIFF files of several pages is used: " \
                "the first page; each page as an image; all pages as the channels of one image"); \
  DEFINE_string(range, "",                                                                        \
                "[data] which values of images of more than 8 bits are black and white: "         \
                "LOW:HIGH, or one such pair for each channel with commas between; auto: the "     \
                "percentiles 0.1 and 99.9 of a sample; auto-channels: those of each channel; "    \
                "empty: the checkpoint's, or 0:65535 for images of 16 bits")

#define MOCOPP_DATA_FLAGS \
  MOCOPP_PLACE_FLAGS;     \
  MOCOPP_COLUMNS_FLAG

#define MOCOPP_PLACE_SOURCE(path, channels)                                               \
  {                                                                                       \
    path, FLAGS_val, FLAGS_dataset, {{"image_key", FLAGS_image_key}},                     \
        data::MakeDecodeOptions(channels, FLAGS_exif, FLAGS_max_megapixels), FLAGS_range, \
        FLAGS_pages                                                                       \
  }

#define MOCOPP_DATA_SOURCE(path, channels)                                                        \
  {                                                                                               \
    path, FLAGS_val, FLAGS_dataset, {{"image_key", FLAGS_image_key}, {"columns", FLAGS_columns}}, \
        data::MakeDecodeOptions(channels, FLAGS_exif, FLAGS_max_megapixels), FLAGS_range,         \
        FLAGS_pages                                                                               \
  }

#define MOCOPP_SPLIT_FLAG \
  DEFINE_string(split, "pretraining", "[data: pretraining | training | validation] images to read")

#define MOCOPP_CHANNELS_FLAG \
  DEFINE_int32(channels, 3, "[data: 1 to 64] channels that the images are decoded to")

#define MOCOPP_WORKERS_FLAG                                                                       \
  DEFINE_int64(workers, 32,                                                                       \
               "[data: 0 to 1000000] threads that load images, at most one per core; 0: load in " \
               "the main thread")

#define MOCOPP_MAX_BAD_IMAGES_FLAG  \
  DEFINE_int64(max_bad_images, 100, \
               "[data: at least 0] damaged images to tolerate before the program stops")

#define MOCOPP_FORCE_BF16_FLAG \
  DEFINE_bool(force_bf16, false, "[machine] use bf16 even on a CPU on which it is slower than fp32")

#define MOCOPP_PRECISION_FLAGS                                                             \
  DEFINE_string(precision, "fp32",                                                         \
                "[machine: fp32 | bf16] arithmetic of the encoder; bf16 requires support " \
                "by the CPU or GPU");                                                      \
  MOCOPP_FORCE_BF16_FLAG

#define MOCOPP_ARCH_FLAG                                                                          \
  DEFINE_string(arch, "",                                                                         \
                "[encoder] backbone, if the checkpoint does not specify it in full: a name or a " \
                "spec such as resnet18:stem=cifar; empty: the checkpoint's, or the ResNet of "    \
                "the tensors' shapes")

// Which of a file's encoders to take. With --arch they make a moco::EncoderChoice.
#define MOCOPP_FOUND_FLAGS                                                                        \
  DEFINE_string(encoder_prefix, "",                                                               \
                "[encoder] what stands before the names of the encoder's tensors in the file, "   \
                "such as teacher.backbone.; empty: found");                                       \
  DEFINE_string(weights, "",                                                                      \
                "[encoder: ema | raw] which encoder of a file that has several: one of averaged " \
                "weights, or one that was trained; empty: the usual one (docs/encoders.md)")

#define MOCOPP_ENCODER_CHOICE(arch) \
  { arch, FLAGS_encoder_prefix, FLAGS_weights }

#define MOCOPP_BATCH_SIZE_FLAG(size, text) \
  DEFINE_int64(batch_size, size, "[optimisation: 1 to 1000000] " text)

#define MOCOPP_REPORT_FLAG                                                                   \
  DEFINE_bool(report, true,                                                                  \
              "[run] write report.html, a page that shows the run, into its folder when it " \
              "ends; //tools:report writes one at any time")

#define MOCOPP_SEED_FLAG DEFINE_uint64(seed, 0, "[run] random seed")

#define MOCOPP_THREADS_FLAG \
  DEFINE_int64(threads, 0, "[machine: 0 to 1024] compute threads; 0: one per core")

#define MOCOPP_DEVICE_FLAGS                                                            \
  DEFINE_string(device, "",                                                            \
                "[machine: cpu | cuda] where to compute; empty: cuda if this program " \
                "supports it and a device is available, otherwise cpu");               \
  DEFINE_int64(gpu, -1, "[machine] index of the GPU to use in a single process; -1: the first")

#endif  // BASE_SHARED_FLAGS_H_
