// The pickles inside `.pth.tar` files, and those of NumPy arrays: a reader that knows state dicts
// and nothing else, and a writer.
//
// A pickle is a program for a stack machine, and Python's machine calls whatever the program names.
// This one builds values only: numbers, text, lists, tuples, dicts and descriptions of tensors. A
// name that it does not know becomes an opaque value and is never looked up. Protocols 2 to 5 are
// read. Nothing here depends on LibTorch.
#ifndef TENSORS_PICKLE_H_
#define TENSORS_PICKLE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tensors/dtype.h"

namespace tensors::pickle {

// A tensor as described in a pickle: a view of a storage whose bytes are elsewhere.
struct TensorInfo {
  std::string storage_type;             // "FloatStorage", "DoubleStorage", "LongStorage", ...
  std::string key;                      // key of the storage, which names its bytes in the archive
  int64_t storage_size = 0;             // elements
  int64_t offset = 0;                   // of the first element
  std::vector<int64_t> sizes, strides;  // of equal length, without negative numbers

  // Makes this the tensor of these sizes, in row-major order, that fills a storage of `bytes`
  // bytes. False if it needs another number of bytes.
  bool SetContiguous(const DType& dtype, uint64_t bytes);
};

struct Value {
  enum Kind { kNone, kBool, kInt, kFloat, kText, kList, kTuple, kDict, kStorage, kTensor, kOpaque };

  Kind kind = kNone;
  int64_t integer = 0;  // of kBool and kInt
  double number = 0;
  absl::string_view
      text;  // of kText, which includes bytes; for kOpaque, the name that was not looked up
  // For kList and kTuple the elements; for kDict key, value, key, value.
  std::vector<const Value*> items;
  const TensorInfo* tensor = nullptr;  // of kStorage and kTensor

  // Returns the value of a text key in a dict; null if there is none, or if this is not a dict.
  const Value* Find(absl::string_view key) const;
};

// Owns all values of a pickle. They may be shared, but it is safe to walk them recursively: no
// value contains itself, non-empty containers are nested at most kMaxDepth deep, and the number of
// values, each counted as often as it is referenced, is bounded by a multiple of the pickle's size.
class Document {
 public:
  static constexpr int kMaxDepth = 100;
  // Reads the pickle that begins at `begin` of `bytes`, which must outlive the document. DataLoss,
  // with the byte and the reason, if it is not a complete pickle of the kind that state dicts use.
  // Memory is bounded by a multiple of the pickle's size.
  static absl::StatusOr<Document> Parse(absl::string_view bytes, size_t begin = 0);

  const Value& root() const { return *root_; }
  size_t end() const { return end_; }  // end of the pickle in `bytes`

  // Returns every description of a storage in the pickle.
  const std::vector<const TensorInfo*>& storages() const { return storages_; }

  // Returns the bytes of NumPy arrays, which are in the pickle or in this document, by the key of
  // their storage.
  const std::map<std::string, absl::string_view>& arrays() const { return arrays_; }

  // For documents made from the contents of another format.
  Value* New(Value::Kind kind);
  Value* NewText(std::string text);
  TensorInfo* NewTensor();
  void set_root(const Value* root) { root_ = root; }

 private:
  friend class Machine;
  std::deque<Value> values_;  // a deque, so that addresses stay valid; likewise the other two
  std::deque<TensorInfo> tensors_;
  std::deque<std::string> texts_;
  std::vector<const TensorInfo*> storages_;
  std::map<std::string, absl::string_view> arrays_;
  const Value* root_ = nullptr;
  size_t end_ = 0;
};

// Writes a pickle that torch.load(weights_only=True) accepts or, with arrays, Python with NumPy.
// Calls follow the structure:
//   w.BeginDict(); w.Text("epoch"); w.Int(3); w.EndDict();
class Writer {
 public:
  // Arrays require protocol 3.
  explicit Writer(int protocol = 2);

  void None();
  void Bool(bool value);
  void Int(int64_t value);
  void Float(double value);
  void Text(absl::string_view value);
  void Tensor(const TensorInfo& tensor);
  // Writes a NumPy array. Between the two calls, call Flush() and then write the elements in
  // row-major order: `bytes` bytes, less than 4 GB.
  void BeginArray(const DType& dtype, const std::vector<int64_t>& sizes, uint32_t bytes);
  void EndArray();
  void BeginDict();  // then key, value, key, value
  void EndDict();
  void BeginList();
  void EndList();

  // Returns what has been written since the last call.
  std::string Flush();

  // Returns the rest. The last call.
  std::string Finish();

 private:
  void Ints(const std::vector<int64_t>& values);

  std::string bytes_;
};

}  // namespace tensors::pickle

#endif  // TENSORS_PICKLE_H_
