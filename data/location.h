// Where data lies: splits, and what a folder or file shows by its names.
#ifndef DATA_LOCATION_H_
#define DATA_LOCATION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace data {

// The images of a data set that are for pretraining, for training a classifier, or for validation.
enum class Split { kPretraining, kTraining, kValidation };

// "pretraining", "training", "validation".
const char* ToString(Split split);

// The inverse of ToString. InvalidArgument, naming the valid words, for anything else.
absl::StatusOr<Split> ReadSplit(absl::string_view text);

// Every name of a split (see DataLocation::PartsOf), in small letters.
std::vector<absl::string_view> SplitWords();

// The first name of the group of names of splits (see DataLocation::PartsOf) to which `word`
// belongs, in any case: "unlabeled", "train", "val" or "test"; empty for other words.
absl::string_view SplitNameOf(absl::string_view word);

// "a-{000..012}.tar": a-000.tar, a-001.tar, ..., for every such range in `path`; without a range,
// `path` alone. Ranges of more than 1,000,000 numbers, and those that go down, are left as they
// are written.
std::vector<std::string> ExpandRanges(const std::string& path);

// A folder on the disk or in an archive, a file, or several files that a range of numbers names.
struct DataLocation {
  std::string path;
  bool is_folder = false;
  // Of a folder in an archive, the archive's format ("zip"): the folder is not looked for on the
  // disk, and only those of its folders that hold images are listed. Empty for other places.
  std::string archive_format;
  // The next members describe a folder and leave out its hidden entries. First: the names of its
  // folders, sorted; the name of one image (empty if there is none) and the number of images; the
  // endings of the names of all its files (".tar"; of a compressed file the last two: ".tar.gz").
  std::vector<std::string> folders;
  std::string image;
  int64_t images = 0;
  std::set<std::string, std::less<>> endings;
  // The names of its files, other than images, in which the name of one split is a word
  // ("imagenet-train-000.tar"), sorted; and of the other files one for each ending.
  std::vector<std::string> split_files;
  std::map<std::string, std::string, std::less<>> other_files;

  // NotFound if nothing is there.
  static absl::StatusOr<DataLocation> At(const std::string& path);

  // Whether it is not a folder, and its name has this ending, in upper or lower case.
  bool EndsWith(absl::string_view ending) const;

  // Whether it is a folder that has this entry.
  bool Has(absl::string_view entry) const;

  // The path of an entry.
  std::string operator/(absl::string_view entry) const;

  // Of a folder, the entries that are a split's. Names are compared without regard to case.
  //
  //   pretraining   unlabeled, unlabelled, or else train, training
  //   training      train, training
  //   validation    val, valid, validation, dev, or else test, testing, eval, evaluation
  //
  // A folder or a file with one of `endings` has such a name as a whole; a file with one of
  // `shard_endings` has it as a word (between characters that are not letters), and none of
  // another split.
  struct Parts {
    std::vector<std::string> folders, files;  // paths, sorted; links to one folder count once
    bool second_choice = false;               // they have a name that comes after "or else"
    bool empty() const { return folders.empty() && files.empty(); }
  };
  Parts PartsOf(Split split, const std::vector<std::string>& endings,
                const std::vector<std::string>& shard_endings) const;

  // The folders that have no split's name and hold images, perhaps in folders of their own.
  std::vector<std::string> OtherImageFolders() const;

  // Those of them in whose names the name of one split is a word ("training_set", "seg_test",
  // "val2017"), if there are some for training, or without labels, and some for validation or
  // testing. One of either.
  std::vector<std::string> FoldersLikeSplits() const;
};

}  // namespace data

#endif  // DATA_LOCATION_H_
