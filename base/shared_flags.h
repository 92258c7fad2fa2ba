// Flags that several programs share: type, default, range and text are stated once, here. The main
// file of a program names the ones that it has, at the top level.
#ifndef BASE_SHARED_FLAGS_H_
#define BASE_SHARED_FLAGS_H_

#include <gflags/gflags.h>

#define MOCOPP_DATASET_FLAG \
  DEFINE_string(dataset, "", "[data] data set format (a plugin name); empty: detect it")

#define MOCOPP_SPLIT_FLAG \
  DEFINE_string(split, "pretraining", "[data: pretraining | training | validation] images to read")

#define MOCOPP_CHANNELS_FLAG \
  DEFINE_int32(channels, 3, "[data: 1 to 4] channels that the images are decoded to")

// Together with data::MakeDecodeOptions.
#define MOCOPP_DECODE_FLAGS                                                                       \
  DEFINE_string(exif, "ignore",                                                                   \
                "[data: ignore | apply] Exif orientation of images: ignore it, as torchvision's " \
                "ImageFolder does, or turn the images upright");                                  \
  DEFINE_int64(max_megapixels, 100,                                                               \
               "[data: 1 to 2000] millions of pixels above which an image is not read")

#define MOCOPP_WORKERS_FLAG                                                                       \
  DEFINE_int64(workers, 32,                                                                       \
               "[data: 0 to 1000000] threads that load images, at most one per core; 0: load in " \
               "the main thread")

#define MOCOPP_MAX_BAD_IMAGES_FLAG  \
  DEFINE_int64(max_bad_images, 100, \
               "[data: at least 0] damaged images to tolerate before the program stops")

#define MOCOPP_ARCH_FLAG                                                                          \
  DEFINE_string(arch, "",                                                                         \
                "[encoder] backbone, if the checkpoint does not specify it in full: a name or a " \
                "spec such as resnet18:stem=cifar; empty: the checkpoint's")

#define MOCOPP_BATCH_SIZE_FLAG(size, text) \
  DEFINE_int64(batch_size, size, "[optimisation: 1 to 1000000] " text)

#define MOCOPP_SEED_FLAG DEFINE_uint64(seed, 0, "[run] random seed")

#define MOCOPP_THREADS_FLAG \
  DEFINE_int64(threads, 0, "[machine: 0 to 1024] compute threads; 0: one per core")

#define MOCOPP_DEVICE_FLAGS                                                            \
  DEFINE_string(device, "",                                                            \
                "[machine: cpu | cuda] where to compute; empty: cuda if this program " \
                "supports it and a device is available, otherwise cpu");               \
  DEFINE_int64(gpu, -1, "[machine] index of the GPU to use in a single process; -1: the first")

#endif  // BASE_SHARED_FLAGS_H_
