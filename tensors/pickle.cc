#include "tensors/pickle.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace tensors::pickle {
namespace {

// The opcodes of Python's weights-only reader (protocol 2, see Lib/pickletools.py), those for
// bytes, and their equivalents in protocols 4 and 5.
enum Op : char {
  kMark = '(',
  kStop = '.',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kNone = 'N',
  kNewTrue = '\x88',
  kNewFalse = '\x89',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = '\x8a',
  kBinFloat = 'G',
  kBinUnicode = 'X',
  kShortBinString = 'U',
  kBinString = 'T',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kEmptyTuple = ')',
  kTuple = 't',
  kTuple1 = '\x85',
  kTuple2 = '\x86',
  kTuple3 = '\x87',
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kEmptyDict = '}',
  kEmptySet = '\x8f',
  kSetItem = 's',
  kSetItems = 'u',
  kGlobal = 'c',
  kReduce = 'R',
  kBuild = 'b',
  kNewObj = '\x81',
  kBinPersId = 'Q',
  kProto = '\x80',
  kShortBinUnicode = '\x8c',
  kBinUnicode8 = '\x8d',
  kBinBytes8 = '\x8e',
  kByteArray8 = '\x96',
  kStackGlobal = '\x93',
  kMemoize = '\x94',
  kFrame = '\x95',
  kAddItems = '\x90',
  kFrozenSet = '\x91',
  kNewObjEx = '\x92',
  kLong4 = '\x8b',
};

// Limit on how much one value may repeat of another, so that memory is bounded by a multiple of the
// pickle's size.
constexpr size_t kMaxName = 64;
constexpr size_t kMaxDimensions = 16;
constexpr size_t kMaxRepetition = 4;
constexpr size_t kMaxValues = 2'000'000;  // a state dict has some 20 for each tensor
constexpr size_t kMaxSteps = 16'000'000;
constexpr uint64_t kMaxProtocol = 5;

// The only names that have a meaning.
constexpr absl::string_view kOrderedDict = "collections.OrderedDict";
constexpr absl::string_view kDefaultDict = "collections.defaultdict";
constexpr absl::string_view kRebuildTensor = "torch._utils._rebuild_tensor_v2";
constexpr absl::string_view kRebuildTensorOf03 = "torch._utils._rebuild_tensor";  // PyTorch 0.3
// For the dtypes that have no class of storages: their storage is one of bytes.
constexpr absl::string_view kRebuildUntyped = "torch._utils._rebuild_tensor_v3";
constexpr absl::string_view kRebuildParameter = "torch._utils._rebuild_parameter";
// Of a parameter that has attributes.
constexpr absl::string_view kRebuildWithState = "torch._utils._rebuild_parameter_with_state";
// Of a tensor that has attributes: (function, class, arguments, attributes).
constexpr absl::string_view kRebuildFromType = "torch._tensor._rebuild_from_type_v2";
constexpr absl::string_view kTensorClass = "torch.Tensor";
constexpr absl::string_view kSize = "torch.Size";
constexpr absl::string_view kTorch = "torch.";
constexpr absl::string_view kReconstruct[] = {"numpy.core.multiarray._reconstruct",
                                              "numpy._core.multiarray._reconstruct"};
constexpr absl::string_view kFromBuffer[] = {"numpy.core.numeric._frombuffer",
                                             "numpy._core.numeric._frombuffer"};
constexpr absl::string_view kArray = "numpy.ndarray";
constexpr absl::string_view kNumpyType = "numpy.dtype";
constexpr absl::string_view kNumpyTypePrefix = "numpy.dtype ";  // then what it is of
constexpr absl::string_view kEncode = "_codecs.encode";         // Python 3's bytes in protocol 2

// The bytes whose Latin-1 text is `text`, in UTF-8; false if it holds other characters.
bool Latin1(absl::string_view text, std::string& bytes) {
  for (size_t i = 0; i < text.size(); ++i) {
    const uint8_t c = text[i];
    if (c < 0x80) {
      bytes += text[i];
    } else if ((c == 0xC2 || c == 0xC3) && i + 1 < text.size() &&
               (static_cast<uint8_t>(text[i + 1]) & 0xC0) == 0x80) {
      bytes += static_cast<char>((c & 3) << 6 | (text[++i] & 0x3F));
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

class Machine {
 public:
  Machine(absl::string_view bytes, size_t begin) : bytes_(bytes), at_(begin) {}

  absl::StatusOr<Document> Run() {
    while (error_.empty() && document_.root_ == nullptr) Step();
    if (error_.empty()) CheckExtent(*document_.root_);
    document_.end_ = at_;
    if (error_.empty()) return std::move(document_);
    return absl::DataLossError(
        absl::StrCat("the pickle is damaged at byte ", op_at_, ": ", error_));
  }

 private:
  static constexpr Value* kMarkOnStack = nullptr;

  void Fail(absl::string_view why) {
    if (error_.empty()) error_ = std::string(why);
  }

  Value* New(Value::Kind kind) { return document_.New(kind); }

  // Checks the guarantees of Document for the values below `root`, without recursion, because only
  // these checks make recursion safe.
  void CheckExtent(const Value& root) {
    struct Visit {
      const Value* value;
      size_t next = 0, count = 1;  // the item to go into; values below so far, and this one
    };
    const size_t most = kMaxRepetition * steps_;
    std::map<const Value*, size_t> counts;  // 0 while it is being visited
    std::vector<Visit> path = {{&root}};
    counts[&root] = 0;
    while (!path.empty()) {
      Visit& visit = path.back();
      if (visit.next == visit.value->items.size()) {
        const size_t count = counts[visit.value] = visit.count;
        path.pop_back();
        if (!path.empty()) path.back().count += count;
        if (count > most) return Fail("it describes far more values than it has bytes");
        continue;
      }
      const Value* item = visit.value->items[visit.next++];
      if (item->items.empty()) {
        ++visit.count;
      } else if (const auto [known, is_new] = counts.try_emplace(item, 0); !is_new) {
        if (known->second == 0) return Fail("a value contains itself");
        visit.count += known->second;
        if (visit.count > most) return Fail("it describes far more values than it has bytes");
      } else if (path.size() == Document::kMaxDepth) {
        return Fail("it is nested too deeply");
      } else {
        path.push_back({item});
      }
    }
  }

  // --- Bytes ---

  absl::string_view Take(size_t size) {
    if (size > bytes_.size() - at_) {
      Fail("it is truncated within a value");
      return {};
    }
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }

  uint64_t Unsigned(size_t width) {
    uint64_t value = 0;
    const absl::string_view bytes = Take(width);
    for (size_t i = 0; i < bytes.size(); ++i) {
      value |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
    }
    return value;
  }

  absl::string_view Line() {
    const size_t end = bytes_.find('\n', at_);
    if (end == absl::string_view::npos) {
      Fail("a name is not terminated");
      return {};
    }
    const absl::string_view line = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return line;
  }

  // --- Stack ---

  void Push(Value* value) { stack_.push_back(value); }

  void PushInt(int64_t integer) {
    Value* value = New(Value::kInt);
    value->integer = integer;
    Push(value);
  }

  void PushBool(bool truth) {
    Value* value = New(Value::kBool);
    value->integer = truth;
    Push(value);
  }

  void PushText(absl::string_view text) {
    Value* value = New(Value::kText);
    value->text = text;
    Push(value);
  }

  // Of something that the bytes do not name in one piece.
  void PushName(std::string name) {
    Value* value = document_.NewText(std::move(name));
    value->kind = Value::kOpaque;
    Push(value);
  }

  // Returns the top of the stack, or an empty value if the stack is empty, so that callers need not
  // check.
  Value* Top() {
    if (stack_.empty() || stack_.back() == kMarkOnStack) {
      Fail("the stack is empty");
      return New(Value::kNone);
    }
    return stack_.back();
  }

  Value* Pop() {
    Value* top = Top();
    if (error_.empty()) stack_.pop_back();
    return top;
  }

  std::vector<const Value*> PopToMark() {
    const auto mark = std::find(stack_.rbegin(), stack_.rend(), kMarkOnStack);
    if (mark == stack_.rend()) {
      Fail("a mark is missing");
      return {};
    }
    std::vector<const Value*> items(mark.base(), stack_.end());
    stack_.erase(mark.base() - 1, stack_.end());
    return items;
  }

  void PushTuple(size_t size) {
    std::vector<const Value*> items(size);
    for (size_t i = size; i-- > 0;) items[i] = Pop();
    Value* tuple = New(Value::kTuple);
    tuple->items = std::move(items);
    Push(tuple);
  }

  void Extend(Value* container, Value::Kind kind, const std::vector<const Value*>& items) {
    if (container->kind == Value::kOpaque) return;  // its items are not kept
    if (container->kind != kind || (kind == Value::kDict && items.size() % 2 != 0)) {
      return Fail("items are added to a value that is not a container");
    }
    container->items.insert(container->items.end(), items.begin(), items.end());
  }

  void Put(uint64_t slot) { memo_[slot] = Top(); }

  void Get(uint64_t slot) {
    const auto found = memo_.find(slot);
    if (found == memo_.end()) return Fail("it refers to a memo entry that does not exist");
    Push(found->second);
  }

  // --- Replacements for Python's calls ---

  static bool Is(const Value& value, absl::string_view name) {
    return value.kind == Value::kOpaque && value.text == name;
  }

  // ("storage", class, key, place, size) stands for a storage; before PyTorch 1.6 a sixth item
  // follows, which is None.
  void PushStorage() {
    const Value* id = Pop();
    const auto& items = id->items;
    if (id->kind != Value::kTuple || items.size() < 5 || items[0]->text != "storage" ||
        items[1]->kind != Value::kOpaque || !absl::StartsWith(items[1]->text, kTorch) ||
        items[1]->text.size() > kMaxName || items[2]->kind != Value::kText ||
        items[2]->text.size() > kMaxName || items[4]->kind != Value::kInt ||
        items[4]->integer < 0 || (items.size() > 5 && items[5]->kind != Value::kNone)) {
      return Fail("a storage is not described in PyTorch's way");
    }
    TensorInfo* info = document_.NewTensor();
    info->storage_type = std::string(items[1]->text.substr(kTorch.size()));
    info->key = std::string(items[2]->text);
    info->storage_size = items[4]->integer;
    document_.storages_.push_back(info);
    Value* storage = New(Value::kStorage);
    storage->tensor = info;
    Push(storage);
  }

  // Reads non-negative integers; false if `value` contains anything else.
  static bool ReadInts(const Value& value, std::vector<int64_t>& out) {
    if (value.kind != Value::kTuple || value.items.size() > kMaxDimensions) return false;
    for (const Value* item : value.items) {
      if (item->kind != Value::kInt || item->integer < 0) return false;
      out.push_back(item->integer);
    }
    return true;
  }

  // (storage, offset, sizes, strides, requires_grad, hooks); `dtype` replaces the storage's type.
  void PushTensor(const std::vector<const Value*>& arguments, const Value* dtype = nullptr) {
    if (!arguments.empty() && arguments[0]->kind == Value::kOpaque) {
      return PushName(std::string(arguments[0]->text));  // pickle.dump of a tensor has its own call
    }
    if (arguments.size() < 4 || arguments[0]->kind != Value::kStorage ||
        arguments[1]->kind != Value::kInt || arguments[1]->integer < 0) {
      return Fail("a tensor is not described in PyTorch's way");
    }
    TensorInfo* info = document_.NewTensor();
    *info = *arguments[0]->tensor;
    if (dtype != nullptr) info->storage_type = std::string(absl::StripPrefix(dtype->text, kTorch));
    info->offset = arguments[1]->integer;
    if (!ReadInts(*arguments[2], info->sizes) || !ReadInts(*arguments[3], info->strides) ||
        info->sizes.size() != info->strides.size()) {
      return Fail("a tensor's shape is invalid");
    }
    Value* tensor = New(Value::kTensor);
    tensor->tensor = info;
    Push(tensor);
  }

  // Python 2 passes all items to the constructor, in a list of pairs; later versions set them.
  void PushOrderedDict(const std::vector<const Value*>& arguments) {
    Value* dict = New(Value::kDict);
    for (const Value* items : arguments) {
      for (const Value* pair : items->items) {
        if (pair->items.size() != 2) return Fail("the items of an OrderedDict are not pairs");
        dict->items.push_back(pair->items[0]);
        dict->items.push_back(pair->items[1]);
      }
    }
    Push(dict);
  }

  // _codecs.encode(text, "latin1") makes copies: in total at most as many bytes as there are.
  void PushEncoded(absl::string_view text) {
    std::string bytes;
    encoded_ += text.size();
    if (encoded_ > bytes_.size()) return Fail("it encodes more bytes than it has");
    if (!Latin1(text, bytes)) return Fail("bytes are not written as Latin-1 text");
    Push(document_.NewText(std::move(bytes)));
  }

  // Returns an array of these elements in row-major order; null, and possibly a failure, if they
  // are not an array.
  const TensorInfo* NewArray(const Value& type, const Value& sizes, const Value& elements) {
    absl::string_view name = type.text;
    const DType* dtype = type.kind == Value::kOpaque && elements.kind == Value::kText &&
                                 absl::ConsumePrefix(&name, kNumpyTypePrefix)
                             ? FindDType(&DType::numpy, name)
                             : nullptr;
    if (dtype == nullptr) return nullptr;
    TensorInfo* info = document_.NewTensor();
    if (!ReadInts(sizes, info->sizes) || !info->SetContiguous(*dtype, elements.text.size())) {
      Fail("an array's size does not match its shape");
      return nullptr;
    }
    info->key = absl::StrCat("array", document_.arrays_.size());
    document_.arrays_[info->key] = elements.text;
    return info;
  }

  // Reads an array in protocol 5: (elements, type, sizes, "C" for row-major).
  void PushFromBuffer(const std::vector<const Value*>& arguments) {
    const TensorInfo* info = arguments.size() == 4 && arguments[3]->text == "C"
                                 ? NewArray(*arguments[1], *arguments[2], *arguments[0])
                                 : nullptr;
    if (info == nullptr) return PushName(std::string(kArray));
    Value* array = New(Value::kTensor);
    array->tensor = info;
    Push(array);
  }

  void Reduce() {
    const Value* arguments = Pop();
    Value* function = Pop();
    if (arguments->kind != Value::kTuple) return Fail("a call's arguments are not a tuple");
    if (Is(*function, kOrderedDict)) {
      PushOrderedDict(arguments->items);
    } else if (Is(*function, kDefaultDict) && arguments->items.size() <= 1) {
      Push(New(Value::kDict));  // the argument makes values that are missing
    } else if (Is(*function, kRebuildTensor) || Is(*function, kRebuildTensorOf03)) {
      PushTensor(arguments->items);
    } else if (Is(*function, kRebuildFromType) && arguments->items.size() > 2 &&
               Is(*arguments->items[0], kRebuildTensor) && Is(*arguments->items[1], kTensorClass) &&
               arguments->items[2]->kind == Value::kTuple) {
      PushTensor(arguments->items[2]->items);
    } else if (Is(*function, kRebuildUntyped) && arguments->items.size() > 6 &&
               arguments->items[6]->kind == Value::kOpaque &&
               arguments->items[6]->text.size() <= kMaxName) {
      PushTensor(arguments->items, arguments->items[6]);
    } else if (Is(*function, kRebuildParameter) || Is(*function, kRebuildWithState) ||
               Is(*function, kSize)) {
      if (arguments->items.empty()) return Fail("a call lacks its argument");
      Push(const_cast<Value*>(arguments->items[0]));  // the machine may extend it
    } else if (Is(*function, kReconstruct[0]) || Is(*function, kReconstruct[1])) {
      PushName(std::string(kArray));  // its state follows
    } else if (Is(*function, kFromBuffer[0]) || Is(*function, kFromBuffer[1])) {
      PushFromBuffer(arguments->items);
    } else if (Is(*function, kEncode) && arguments->items.size() == 2 &&
               arguments->items[0]->kind == Value::kText && arguments->items[1]->text == "latin1") {
      PushEncoded(arguments->items[0]->text);
    } else if (Is(*function, kNumpyType) && !arguments->items.empty() &&
               arguments->items[0]->text.size() <= kMaxName) {
      PushName(absl::StrCat(kNumpyTypePrefix, arguments->items[0]->text));
    } else if (Is(*function, kRebuildFromType) && arguments->items.size() > 1 &&
               arguments->items[1]->kind == Value::kOpaque) {
      Push(const_cast<Value*>(arguments->items[1]));  // the class says more than the function
    } else if (function->kind == Value::kOpaque) {
      Push(function);  // the result of the call is opaque, too
    } else {
      Fail("it calls a value that is not a function");
    }
  }

  // Sets the state of `object` after its creation. The _metadata of an OrderedDict and the state of
  // opaque values are dropped; arrays and the byte order of their type are kept.
  void Build(Value& object, const Value& state) {
    if (object.kind != Value::kOpaque || state.kind != Value::kTuple) return;
    const auto& items = state.items;
    if (absl::StartsWith(object.text, kNumpyTypePrefix)) {
      if (items.size() < 2 || items[1]->text == ">") object.text = kNumpyType;
    } else if (object.text == kArray && items.size() == 5 && items[3]->kind == Value::kBool &&
               !items[3]->integer) {
      const TensorInfo* info = NewArray(*items[2], *items[1], *items[4]);
      if (info == nullptr) return;
      object = Value{};
      object.kind = Value::kTensor;
      object.tensor = info;
    }
  }

  void Step() {
    op_at_ = at_;
    if (document_.values_.size() > kMaxValues || ++steps_ > kMaxSteps) {
      Fail("it holds too many values for a state dict");
    }
    const absl::string_view op = Take(1);
    if (op.empty()) return;
    switch (op[0]) {
      case kProto:
        if (Unsigned(1) > kMaxProtocol) {
          Fail(absl::StrCat("its protocol is above ", kMaxProtocol, "; save it with protocol 2"));
        }
        break;
      case kFrame:
        Unsigned(8);
        break;
      case kStop:
        document_.root_ = Pop();
        break;
      case kMark:
        stack_.push_back(kMarkOnStack);
        break;
      case kBinPut:
        Put(Unsigned(1));
        break;
      case kLongBinPut:
        Put(Unsigned(4));
        break;
      case kBinGet:
        Get(Unsigned(1));
        break;
      case kLongBinGet:
        Get(Unsigned(4));
        break;
      case kNone:
        Push(New(Value::kNone));
        break;
      case kNewTrue:
        PushBool(true);
        break;
      case kNewFalse:
        PushBool(false);
        break;
      case kBinInt:
        PushInt(static_cast<int32_t>(Unsigned(4)));
        break;
      case kBinInt1:
        PushInt(static_cast<int64_t>(Unsigned(1)));
        break;
      case kBinInt2:
        PushInt(static_cast<int64_t>(Unsigned(2)));
        break;
      case kLong1: {
        const uint64_t width = Unsigned(1);
        if (width > 8) {  // such as the state of a random generator
          Take(width);
          return PushName("int");
        }
        const uint64_t bits = Unsigned(width);
        const int unused = static_cast<int>(64 - 8 * width);  // the sign is in the highest byte
        PushInt(width == 0 ? 0 : static_cast<int64_t>(bits << unused) >> unused);
        break;
      }
      case kBinFloat: {
        uint64_t bits = __builtin_bswap64(Unsigned(8));
        Value* value = New(Value::kFloat);
        std::memcpy(&value->number, &bits, sizeof(bits));
        Push(value);
        break;
      }
      case kLong4:
        Take(Unsigned(4));
        PushName("int");
        break;
      case kMemoize:
        Put(memo_.size());
        break;
      case kBinUnicode:
      case kBinString:
      case kBinBytes:
        PushText(Take(Unsigned(4)));
        break;
      case kBinUnicode8:
      case kBinBytes8:
      case kByteArray8:
        PushText(Take(Unsigned(8)));
        break;
      case kShortBinUnicode:
      case kShortBinString:
      case kShortBinBytes:
        PushText(Take(Unsigned(1)));
        break;
      case kEmptyTuple:
        PushTuple(0);
        break;
      case kTuple1:
        PushTuple(1);
        break;
      case kTuple2:
        PushTuple(2);
        break;
      case kTuple3:
        PushTuple(3);
        break;
      case kTuple: {
        auto items = PopToMark();
        Value* tuple = New(Value::kTuple);
        tuple->items = std::move(items);
        Push(tuple);
        break;
      }
      case kEmptyList:
      case kEmptySet:
        Push(New(Value::kList));
        break;
      case kAppend: {
        const Value* item = Pop();
        Extend(Top(), Value::kList, {item});
        break;
      }
      case kAppends:
      case kAddItems: {
        const auto items = PopToMark();
        Extend(Top(), Value::kList, items);
        break;
      }
      case kFrozenSet: {
        auto items = PopToMark();
        Value* set = New(Value::kList);
        set->items = std::move(items);
        Push(set);
        break;
      }
      case kEmptyDict:
        Push(New(Value::kDict));
        break;
      case kSetItem: {
        const Value* value = Pop();
        const Value* key = Pop();
        Extend(Top(), Value::kDict, {key, value});
        break;
      }
      case kSetItems: {
        const auto items = PopToMark();
        Extend(Top(), Value::kDict, items);
        break;
      }
      case kGlobal: {
        const absl::string_view module = Line();
        PushName(absl::StrCat(module, ".", Line()));
        break;
      }
      case kStackGlobal: {
        const Value* name = Pop();
        const Value* module = Pop();
        if (name->kind != Value::kText || module->kind != Value::kText ||
            name->text.size() > kMaxName || module->text.size() > kMaxName) {
          Fail("a name is not text");
          break;
        }
        PushName(absl::StrCat(module->text, ".", name->text));
        break;
      }
      case kReduce:
      case kNewObj:
        Reduce();
        break;
      case kNewObjEx:
        Pop();  // the arguments that have names
        Reduce();
        break;
      case kBuild: {
        const Value* state = Pop();
        Build(*Top(), *state);
        break;
      }
      case kBinPersId:
        PushStorage();
        break;
      default:
        Fail("it holds a value that does not belong in a state dict");
    }
  }

  const absl::string_view bytes_;
  size_t at_, op_at_ = 0, steps_ = 0;
  size_t encoded_ = 0;  // bytes, so far
  std::string error_;
  Document document_;
  std::vector<Value*> stack_;
  std::map<uint64_t, Value*> memo_;
};

bool TensorInfo::SetContiguous(const DType& dtype, uint64_t bytes) {
  const bool empty = std::find(sizes.begin(), sizes.end(), 0) != sizes.end();
  const int64_t most = static_cast<int64_t>(bytes / dtype.width);
  int64_t count = empty ? 0 : 1;
  strides.assign(sizes.size(), 1);
  for (size_t i = sizes.size(); i-- > 0 && !empty;) {
    if (sizes[i] > most / count) return false;
    strides[i] = count;
    count *= sizes[i];
  }
  storage_type = dtype.storage;
  storage_size = count;
  offset = 0;
  return static_cast<uint64_t>(count) * dtype.width == bytes;
}

const Value* Value::Find(absl::string_view key) const {
  for (size_t i = 0; kind == kDict && i + 1 < items.size(); i += 2) {
    if (items[i]->kind == kText && items[i]->text == key) return items[i + 1];
  }
  return nullptr;
}

Value* Document::New(Value::Kind kind) {
  Value& value = values_.emplace_back();
  value.kind = kind;
  return &value;
}

Value* Document::NewText(std::string text) {
  Value* value = New(Value::kText);
  value->text = texts_.emplace_back(std::move(text));
  return value;
}

TensorInfo* Document::NewTensor() { return &tensors_.emplace_back(); }

absl::StatusOr<Document> Document::Parse(absl::string_view bytes, size_t begin) {
  return Machine(bytes, begin).Run();
}

Writer::Writer(int protocol) { bytes_ = {Op::kProto, static_cast<char>(protocol)}; }

void Writer::None() { bytes_ += Op::kNone; }

void Writer::Bool(bool value) { bytes_ += value ? kNewTrue : kNewFalse; }

void Writer::Int(int64_t value) {
  const bool narrow = value == static_cast<int32_t>(value);
  if (narrow) {
    bytes_ += kBinInt;
  } else {
    bytes_ += {kLong1, 8};
  }
  for (int i = 0; i < (narrow ? 4 : 8); ++i) bytes_ += static_cast<char>(value >> (8 * i));
}

void Writer::Float(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  bytes_ += kBinFloat;
  for (int i = 7; i >= 0; --i) bytes_ += static_cast<char>(bits >> (8 * i));
}

void Writer::Text(absl::string_view value) {
  bytes_ += kBinUnicode;
  for (int i = 0; i < 4; ++i) bytes_ += static_cast<char>(value.size() >> (8 * i));
  absl::StrAppend(&bytes_, value);
}

void Writer::BeginDict() { bytes_ += {kEmptyDict, kMark}; }
void Writer::EndDict() { bytes_ += kSetItems; }
void Writer::BeginList() { bytes_ += {kEmptyList, kMark}; }
void Writer::EndList() { bytes_ += kAppends; }

void Writer::Ints(const std::vector<int64_t>& values) {
  bytes_ += kMark;
  for (int64_t value : values) Int(value);
  bytes_ += kTuple;
}

void Writer::Tensor(const TensorInfo& tensor) {
  absl::StrAppend(&bytes_, "ctorch._utils\n_rebuild_tensor_v2\n((");
  Text("storage");
  absl::StrAppend(&bytes_, "ctorch\n", tensor.storage_type, "\n");
  Text(tensor.key);
  Text("cpu");
  Int(tensor.storage_size);
  bytes_ += {kTuple, kBinPersId};
  Int(tensor.offset);
  Ints(tensor.sizes);
  Ints(tensor.strides);
  Bool(false);  // requires_grad
  absl::StrAppend(&bytes_, "ccollections\nOrderedDict\n");
  bytes_ += {kEmptyTuple, kReduce, kTuple, kReduce};  // no hooks
}

void Writer::BeginArray(const DType& dtype, const std::vector<int64_t>& sizes, uint32_t bytes) {
  absl::StrAppend(&bytes_, "cnumpy.core.multiarray\n_reconstruct\n");
  absl::StrAppend(&bytes_, "(cnumpy\nndarray\n");
  Ints({0});
  bytes_ += {kShortBinBytes, 1, 'b', kTuple, kReduce, kMark};
  Int(1);  // the version of the following state
  Ints(sizes);
  absl::StrAppend(&bytes_, "cnumpy\ndtype\n(");
  Text(dtype.numpy);
  Bool(false);
  Bool(true);
  bytes_ += {kTuple, kReduce, kMark};
  Int(3);  // likewise
  Text(dtype.width == 1 ? "|" : "<");
  for (int i = 0; i < 3; ++i) None();
  Int(-1);
  Int(-1);
  Int(0);
  bytes_ += {kTuple, kBuild};
  Bool(false);  // Fortran's order
  bytes_ += kBinBytes;
  for (int i = 0; i < 4; ++i) bytes_ += static_cast<char>(bytes >> (8 * i));
}

void Writer::EndArray() { bytes_ += {kTuple, kBuild}; }

std::string Writer::Flush() { return std::exchange(bytes_, {}); }

std::string Writer::Finish() {
  bytes_ += kStop;
  return Flush();
}

}  // namespace tensors::pickle
