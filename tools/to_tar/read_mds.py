"""MosaicML's streaming data sets (MDS): index.json and shards of samples. The format is simple, and the package large."""

import bisect
import bz2
import hashlib
import json
import mmap
import struct
import zlib

from faults import DAMAGED, USAGE, Fault, need, shown
from pictures import NotAPicture, Picture, file_of_array, png_of_pil
from source import Column, Split, inside

_INTS = {f"{sign}int{8 * size}": (size, sign == "") for size in (1, 2, 4, 8) for sign in ("", "u")}
_FLOATS = {"float16": "<e", "float32": "<f", "float64": "<d"}
# The numbers that stand for the types of an array.
_DTYPES = {8: "uint8", 9: "int8", 16: "uint16", 17: "int16", 32: "uint32", 33: "int32", 64: "uint64", 65: "int64",
           18: "float16", 34: "float32", 66: "float64"}


def find(place):
    """The splits of a folder with an index.json, or with folders that have one; None if `place` is none."""
    return find_indexed(place, "shards", MDS)


def find_indexed(place, part, kind):
    """Of a folder whose index.json has the entry `part`, or of the folders in it."""
    if place.name == "index.json" and place.is_file():
        place = place.parent
    indices = [place / "index.json"] if (place / "index.json").is_file() else sorted(place.glob("*/index.json"))
    splits = []
    for path in indices:
        try:
            index = json.loads(path.read_text("utf-8"))
        except (ValueError, RecursionError, OSError) as error:
            raise Fault(DAMAGED, f"'{path}' cannot be read ({error}); copy or write the data set again") from None
        if isinstance(index, dict) and isinstance(index.get(part), list):
            try:
                splits.append(kind("" if path.parent == place else path.parent.name, path, index))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise Fault(DAMAGED, f"'{path}' is not as its package writes it ({type(error).__name__}: {error}); copy or "
                            "write the data set again") from None
    return splits or None


class Damaged(ValueError):
    pass


def unpack(format_, data, offset=0):
    try:
        return struct.unpack_from(format_, data, offset)
    except struct.error:
        raise Damaged("it is cut") from None


def mapped(path):
    with open(path, "rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) if path.stat().st_size else memoryview(b"")


def items(data, count):
    """Of a file that begins with a count and count + 1 offsets: the pieces between them."""
    if unpack("<I", data)[0] != count:
        raise Damaged(f"it has {unpack('<I', data)[0]} samples, and index.json says {count}")
    offsets = unpack(f"<{count + 1}I", data, 4)
    if list(offsets) != sorted(offsets) or offsets[-1] > len(data):
        raise Damaged("it is cut, or its offsets are wrong")
    return [data[begin:end] for begin, end in zip(offsets, offsets[1:])]


class Shards(Split):
    """What MDS and litdata have in common: an index that lists files of so many samples."""

    def __init__(self, name, path, counts, files, columns):
        self.name, self._index, self._files, self.columns = name, path, files, columns
        self._ends = [sum(counts[:i + 1]) for i in range(len(counts))]
        self._counts, self.size = counts, sum(counts)
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise Fault(DAMAGED, f"'{path}' lists {len(files)} files, and {len(missing)} of them are not there "
                        f"({shown(missing, 3)}); a cache of a remote data set holds only what was used: download the whole")
        self.bytes = sum(file.stat().st_size for file in files)

    def where(self, row):
        file = bisect.bisect_right(self._ends, row)
        return f"'{self._files[file]}', sample {row - (self._ends[file - 1] if file else 0)}"

    def _samples(self, number):
        """The samples of a file, one after the other, or Damaged."""
        raise NotImplementedError

    def _decoders(self, wanted):
        """A function from a sample to the values, or Damaged, NotAPicture."""
        raise NotImplementedError

    def rows(self, wanted):
        decode, row = self._decoders(wanted), 0
        for number, file in enumerate(self._files):
            try:
                for sample in self._samples(number):
                    try:
                        values = decode(sample)
                    except (Damaged, UnicodeDecodeError) as error:
                        raise Fault(DAMAGED, f"{self.where(row)} is damaged ({error}); copy or download the file again") from None
                    except NotAPicture as error:
                        raise Fault(USAGE, f"{self.where(row)}: {error}") from None
                    yield values
                    row += 1
            except (Damaged, OSError, zlib.error, EOFError) as error:
                raise Fault(DAMAGED, f"'{file}' is damaged or incomplete ({error}); copy or download it again") from None


def decompress(data, codec, size, what):
    """Of `size` bytes, which bounds the memory whatever the file says."""
    if codec == "gz":
        out = zlib.decompressobj(31).decompress(bytes(data), size + 1)
    elif codec == "bz2":
        out = bz2.BZ2Decompressor().decompress(bytes(data), size + 1)
    else:
        pa = need("pyarrow", f"{what}, compressed with {codec},")
        try:
            out = pa.decompress(pa.py_buffer(data), decompressed_size=size, codec={"br": "brotli"}.get(codec, codec),
                                asbytes=True)
        except (pa.ArrowException, OSError) as error:
            raise Damaged(str(error).strip().split("\n")[0]) from None
    if len(out) != size:
        raise Damaged(f"it does not unpack to the {size} bytes that the index says")
    return out


def lists_of(name, encoding):
    return Column(name, "other", why=f"its encoding is {encoding}, which is several images in a sample")


class MDS(Shards):
    def __init__(self, name, path, index):
        shards = index["shards"]
        if index.get("version") != 2 or any(shard["format"] != "mds" for shard in shards):
            formats = sorted({str(shard.get("format")) for shard in shards})
            raise Fault(USAGE, f"'{path}' is of version {index.get('version')} and format {shown(formats)}; only version 2 of "
                        "mds holds images: write the data set again with MDSWriter")
        layouts = [(shard["column_names"], shard["column_encodings"], shard["column_sizes"]) for shard in shards]
        if any(layout != layouts[0] for layout in layouts):
            raise Fault(USAGE, f"the shards of '{path}' have different columns; write the data set again with MDSWriter")
        self._names, self._encodings, self._sizes = layouts[0] if layouts else ([], [], [])
        # A shard that is there unpacked is used so.
        files, self._raw, self._hashes = [], [], []
        for shard in shards:
            raw = inside(path.parent, shard["raw_data"]["basename"])
            packed = shard.get("zip_data") and inside(path.parent, shard["zip_data"]["basename"])
            files.append(packed if packed and not raw.is_file() else raw)
            hashes = (shard["raw_data"] if files[-1] == raw else shard["zip_data"]).get("hashes") or {}
            self._hashes.append({name: value for name, value in hashes.items()
                                 if name in hashlib.algorithms_guaranteed and not name.startswith("shake")})
            self._raw.append((int(shard["raw_data"]["bytes"]), None if files[-1] == raw else shard["compression"].split(":")[0]))
        columns = [_column(name, encoding) for name, encoding in zip(self._names, self._encodings)]
        super().__init__(name, path, [int(shard["samples"]) for shard in shards], files, columns)

    def _samples(self, number):
        file, (size, codec) = self._files[number], self._raw[number]
        data = mapped(file)
        for name, value in self._hashes[number].items():
            if hashlib.new(name, data).hexdigest() != value:
                raise Damaged(f"its {name} is not that of index.json")
        if codec is not None:
            data = memoryview(decompress(data, codec, size, f"'{file}'"))
        elif len(data) != size:
            raise Damaged(f"it has {len(data)} bytes, and index.json says {size}")
        return items(data, self._counts[number])

    def _decoders(self, wanted):
        chosen = [(self._names.index(name), _decoder(self._encodings[self._names.index(name)], self.column(name)))
                  for name in wanted]
        variable = sum(not size for size in self._sizes)

        def decode(sample):
            sizes, at, pieces = iter(unpack(f"<{variable}I", sample)), 4 * variable, []
            for fixed in self._sizes:
                size = fixed or next(sizes)
                pieces.append(sample[at:at + size])
                at += size
            if at != len(sample):
                raise Damaged("its parts do not have its length")
            return tuple(value(pieces[i]) for i, value in chosen)

        return decode


def _column(name, encoding):
    base = encoding.split(":")[0]
    if base in ("jpeg", "png", "pil"):
        return Column(name, "image")
    if base in ("bytes", "ndarray"):
        return Column(name, "bytes" if base == "bytes" else "array")
    if base in _INTS or base in ("int", "str_int"):
        return Column(name, "int")
    if base in _FLOATS or base in ("str_float", "str_decimal"):
        return Column(name, "float")
    if base == "str":
        return Column(name, "text")
    if base in ("jpeg_array", "jpegarray") or base.startswith("list["):
        return lists_of(name, encoding)
    if base == "pkl":
        return Column(name, "other", why="it holds pickles, which are not opened, since they can run code")
    return Column(name, "other", why=f"its encoding is {encoding}")


def _decoder(encoding, column):
    base = encoding.split(":")[0]
    if base in ("jpeg", "png"):
        return lambda data: Picture(bytes(data))
    if base == "pil":
        return lambda data: Picture(png_of_pil(data), decoded=True)
    if base == "bytes":
        return bytes
    if base == "ndarray":
        return lambda data: Picture(_array(encoding, data), decoded=True)
    if base in _INTS or base == "int":
        size, signed = _INTS.get(base, (8, True))
        format_ = "<" + {1: "b", 2: "h", 4: "i", 8: "q"}[size]
        return lambda data: unpack(format_ if signed else format_.upper(), data)[0]
    if base in _FLOATS:
        return lambda data: unpack(_FLOATS[base], data)[0]
    if base in ("str_int", "str_float", "str_decimal"):
        return lambda data: _number(bytes(data).decode("ascii"), int if base == "str_int" else float)
    if base == "str":
        return lambda data: bytes(data).decode("utf-8")
    raise Fault(USAGE, f"the column '{column.name}' cannot be used: {column.why}")


def _number(text, kind):
    try:
        return kind(text)
    except ValueError:
        raise Damaged(f"{text[:40]!r} is no number") from None


def _array(encoding, data):
    """The type and the shape are in the encoding, ndarray:uint8:32,32,3, or else before the values."""
    _, dtype, shape = (encoding.split(":") + ["", ""])[:3]
    at = 0
    if not dtype:
        dtype, at = _DTYPES.get(unpack("<B", data)[0], "another type"), 1
    if shape:
        shape = [int(side) for side in shape.split(",")]
    else:
        byte = unpack("<B", data, at)[0]
        shape = unpack(f"<{byte >> 2}{'BHIQ'[byte & 3]}", data, at + 1)
        at += 1 + (byte >> 2) * (1 << (byte & 3))
    return file_of_array(data[at:], dtype, shape)
