// The constants of well-known data sets, as specs of the augmentation `normalize`.
#ifndef DATA_NORMALIZATION_H_
#define DATA_NORMALIZATION_H_

namespace data {

inline constexpr char kCifar10Normalize[] =
    "normalize:mean=0.4914 0.4822 0.4465,std=0.2023 0.1994 0.201";
inline constexpr char kCifar100Normalize[] =
    "normalize:mean=0.5071 0.4865 0.4409,std=0.2673 0.2564 0.2762";
// The data set of the reference's 96x96 adaptation.
inline constexpr char kUnlabeled96Normalize[] =
    "normalize:mean=0.484 0.453 0.402,std=0.269 0.260 0.273";

}  // namespace data

#endif  // DATA_NORMALIZATION_H_
