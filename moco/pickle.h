// The pickles inside `.pth.tar` files: a reader that knows state dicts and nothing else, and a
// writer.
//
// A pickle is a program for a stack machine, and Python's machine calls whatever the program names.
// This one builds values only: numbers, text, lists, tuples, dicts and descriptions of tensors. A
// name that it does not know becomes an opaque value and is never looked up. Nothing here depends
// on LibTorch.
#ifndef MOCO_PICKLE_H_
#define MOCO_PICKLE_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace moco::pickle {

// A tensor as a pickle describes it: a view of a storage whose bytes lie elsewhere.
struct TensorInfo {
  std::string storage_type;             // "FloatStorage", "DoubleStorage", "LongStorage", ...
  std::string key;                      // of the storage, by which the archive names its bytes
  int64_t storage_size = 0;             // elements
  int64_t offset = 0;                   // of the first element
  std::vector<int64_t> sizes, strides;  // as many of one as of the other, none negative
};

struct Value {
  enum Kind { kNone, kBool, kInt, kFloat, kText, kList, kTuple, kDict, kStorage, kTensor, kOpaque };

  Kind kind = kNone;
  int64_t integer = 0;  // of kBool and kInt
  double number = 0;
  absl::string_view text;  // of kText; of kOpaque, the name that was not looked up
  // Of kList and kTuple the elements; of kDict key, value, key, value.
  std::vector<const Value*> items;
  const TensorInfo* tensor = nullptr;  // of kStorage and kTensor

  // The value of a dict's text key; null when there is none, or when this is not a dict.
  const Value* Find(absl::string_view key) const;
};

// Owns all values of a pickle. They may be shared, but none contains itself, no chain of containers
// with something in them is longer than kMaxDepth, and counted as often as they are referred to
// they are no more than a multiple of the pickle's size: whoever walks them need not mind.
class Document {
 public:
  static constexpr int kMaxDepth = 100;
  static constexpr size_t kMaxBytes = 16 << 20;  // a state dict of 10,000 tensors has 2 MB

  // The pickle that begins at `begin` of `bytes`, which must outlive the document. DataLoss, with
  // the byte and the reason, when it is not a whole pickle of state-dict kind. Memory is bounded by
  // a multiple of the pickle's size.
  static absl::StatusOr<Document> Parse(absl::string_view bytes, size_t begin = 0);

  const Value& root() const { return *root_; }
  size_t end() const { return end_; }  // of the pickle, in `bytes`

  // What the pickle says of each storage, as often as it does.
  const std::vector<const TensorInfo*>& storages() const { return storages_; }

  // To make a document of another format's contents.
  Value* New(Value::Kind kind);
  Value* NewText(std::string text);
  TensorInfo* NewTensor();
  void set_root(const Value* root) { root_ = root; }

 private:
  friend class Machine;
  std::deque<Value> values_;  // their addresses stay, in all three
  std::deque<TensorInfo> tensors_;
  std::deque<std::string> texts_;
  std::vector<const TensorInfo*> storages_;
  const Value* root_ = nullptr;
  size_t end_ = 0;
};

// Writes a pickle (protocol 2) that torch.load(weights_only=True) takes. Calls follow the
// structure:
//   w.BeginDict(); w.Text("epoch"); w.Int(3); w.EndDict();
class Writer {
 public:
  Writer();

  void None();
  void Bool(bool value);
  void Int(int64_t value);
  void Float(double value);
  void Text(absl::string_view value);
  void Tensor(const TensorInfo& tensor);
  void BeginDict();  // then key, value, key, value
  void EndDict();
  void BeginList();
  void EndList();

  // The whole pickle; the last call.
  std::string Finish();

 private:
  void Ints(const std::vector<int64_t>& values);

  std::string bytes_;
};

}  // namespace moco::pickle

#endif  // MOCO_PICKLE_H_
