#include "moco/presets.h"

#include "augment/presets.h"
#include "data/normalization.h"

namespace moco {

std::vector<base::Preset> Presets() {
  const std::string cifar10 = data::kCifar10Normalize;
  return {
      // Chosen by kNN accuracy from ten runs with seed 1, of 20 to 55 epochs. A wide network on few
      // pixels (8 x 8 after the stem) is cheap enough for many epochs. The queue is short because
      // there are only 5,000 images, so that a longer one would hold more old keys of a query's own
      // image.
      {"demo",
       "a small network for 32 pixels, four minutes on two cores; used when no data is given",
       {{"arch", "resnet_small:width=64,blocks=1,stages=3,stem=imagenet"},
        {"epochs", "55"},
        {"batch_size", "128"},
        {"bn_splits", "4"},
        {"lr", "0.06"},
        {"cos", "true"},
        {"weight_decay", "0.0005"},
        {"moco_dim", "64"},
        {"moco_k", "256"},
        {"moco_m", "0.99"},
        {"moco_t", "0.1"},
        {"mlp", "true"},
        {"views", augment::CifarViews(32, 0.2, cifar10)},
        {"eval_views", augment::EvaluationViews(32, cifar10)},
        {"keep", "3"},
        {"knn_every", "5"},
        {"monitor_every", "5"},
        {"knn_k", "20"}}},
      {"moco_v2",
       "\"Improved baselines with momentum contrastive learning\", 2020",
       {{"mlp", "true"}, {"moco_t", "0.2"}, {"aug_plus", "true"}, {"cos", "true"}}},
      // moco_cifar10_demo.ipynb of the reference; the crop's scale is torchvision's default.
      {"cifar10",
       "the official CIFAR-10 demo (asymmetric), which reports a kNN accuracy of 82.6 %",
       {{"arch", "resnet18:stem=cifar"},
        {"batch_size", "512"},
        {"bn_splits", "8"},
        {"lr", "0.06"},
        {"cos", "true"},
        {"weight_decay", "0.0005"},
        {"moco_k", "4096"},
        {"moco_m", "0.99"},
        {"moco_t", "0.1"},
        {"views", augment::CifarViews(32, 0.08, cifar10)},
        {"eval_views", augment::EvaluationViews(32, cifar10)}}},
      {"unlabeled96",
       "Deep-Learning-SSL-MoCo-SP21: 512,000 unlabelled images of 96 pixels, MoCo v2",
       {{"data", "../dataset"},
        {"epochs", "500"},
        {"print_freq", "500"},
        {"image_size", "96"},
        {"mlp", "true"},
        {"moco_t", "0.2"},
        {"aug_plus", "true"},
        {"cos", "true"}}},
  };
}

}  // namespace moco
