"""litdata's optimized data sets: index.json and chunks of samples, whose leaves are stored one after the other."""

import json

from faults import USAGE, Fault, need
from pictures import Picture, ending_of, file_of_array, png_of_pil
from read_mds import Damaged, Shards, find_indexed, items, lists_of, mapped, unpack
from source import Column, inside

# The numbers that stand for the types of tensors and of arrays, as far as images have them.
_TORCH = {0: "float32", 1: "float32", 11: "uint8", 13: "int16", 14: "int16", 15: "int32", 16: "int32", 17: "int64", 18: "int64",
          19: "bool", 20: "uint16"}
_NUMPY = {1: "int16", 2: "int32", 3: "int64", 4: "uint8", 5: "uint16", 6: "uint32", 9: "float32", 10: "float64", 13: "bool"}

# Of the values of kinds of columns in rows of Arrow.
_TYPES = {"image": bytes, "bytes": bytes, "int": int, "float": (int, float), "text": str}

_ARROW = b"LDARW01\0"
_FRAMED = b"LDFZ01\0\0"


def find(place):
    """The splits of a folder with an index.json, or with folders that have one; None if `place` is none."""
    return find_indexed(place, "chunks", LitData)


class LitData(Shards):
    def __init__(self, name, path, index):
        config = index["config"]
        if config.get("encryption"):
            raise Fault(USAGE, f"'{path}' is encrypted; write the data set again without encryption")
        loader = config.get("item_loader") or "PyTreeLoader"
        if loader != "PyTreeLoader":
            raise Fault(USAGE, f"'{path}' is for litdata's {loader}; "
                        + ("give the folder of the Parquet files that it lists" if loader == "ParquetLoader" else
                           "only data sets for its PyTreeLoader hold images"))
        self._formats = config["data_format"]
        names = _leaves(config.get("data_spec"))
        if len(names) != len(self._formats):
            names = [str(i) for i in range(len(self._formats))]
        self._compression = (config.get("compression") or "").split(":")[0]
        self._level = config.get("compression_level") or "chunk"
        if self._compression not in ("", "zstd"):
            raise Fault(USAGE, f"'{path}' is compressed with {self._compression}, and litdata only knows zstd; write it again")
        chunks = index["chunks"]
        self._sizes = [int(chunk["chunk_bytes"]) for chunk in chunks]
        columns = [_column(*column) for column in zip(names, self._formats)]
        super().__init__(name, path, [int(chunk["chunk_size"]) for chunk in chunks],
                         [inside(path.parent, chunk["filename"]) for chunk in chunks], columns)

    def _samples(self, number):
        data, count, what = mapped(self._files[number]), self._counts[number], f"'{self._files[number]}'"
        if data[:8] == _FRAMED:
            return _framed(data, count, what)
        if self._compression and self._level == "chunk" and data[:4] == b"\x28\xb5\x2f\xfd":
            # Older versions count the bytes without the offsets.
            data = memoryview(_zstd(data, self._sizes[number] + 4 * count + 8, what))
        if data[-8:] == _ARROW:
            return self._rows_of_arrow(data, count, what)
        samples = items(data, count)
        if self._level == "sample":
            return (memoryview(_zstd(sample, 1 << 31, what)) for sample in samples)
        return samples

    def _rows_of_arrow(self, data, count, what):
        """Rows of plain values are an Arrow file behind an empty list of samples."""
        pa = need("pyarrow", what)
        import pyarrow.ipc
        length = unpack("<I", data, len(data) - 12)[0]
        if length > len(data) - 12:
            raise Damaged("it is cut")
        file = pa.py_buffer(data[len(data) - 12 - length:len(data) - 12])
        try:
            reader = pyarrow.ipc.open_file(file) if bytes(file[:6]) == b"ARROW1" else None
            batches = ([reader.get_batch(i) for i in range(reader.num_record_batches)] if reader else
                       list(pyarrow.ipc.open_stream(file)))
            for batch in batches:
                batch.validate(full=True)
        except (pa.ArrowException, OSError) as error:
            raise Damaged(str(error).strip().split("\n")[0]) from None
        if sum(batch.num_rows for batch in batches) != count:
            raise Damaged("it does not have the number of samples that index.json says")
        return ((batch, i) for batch in batches for i in range(batch.num_rows))

    def _decoders(self, wanted):
        names = [column.name for column in self.columns]
        chosen = [(names.index(name), _decoder(self._formats[names.index(name)], self.column(name))) for name in wanted]
        count = len(self._formats)
        of_arrow = [(name.split("."), self.column(name).kind) for name in wanted]

        def decode(sample):
            if isinstance(sample, tuple):
                return tuple(_of_arrow(sample, path, kind) for path, kind in of_arrow)
            sizes, at, pieces = unpack(f"<{count}I", sample), 4 * count, []
            for size in sizes:
                pieces.append(sample[at:at + size])
                at += size
            if at != len(sample):
                raise Damaged("its parts do not have its length")
            return tuple(value(pieces[i]) for i, value in chosen)

        return decode


def _of_arrow(sample, path, kind):
    batch, i = sample
    value = batch.column(batch.schema.get_field_index(path[0]))[i].as_py()
    for key in path[1:]:
        value = value.get(key) if isinstance(value, dict) else None
    if value is not None and not isinstance(value, _TYPES.get(kind, object)):
        raise Damaged(f"'{'.'.join(path)}' is not of the type that index.json says")
    return Picture(value) if kind == "image" else value


def _zstd(data, most, what):
    pa = need("pyarrow", f"{what}, compressed with zstd,")
    try:
        out = pa.CompressedInputStream(pa.BufferReader(pa.py_buffer(data)), "zstd").read(most + 1)
    except (pa.ArrowException, OSError) as error:
        raise Damaged(str(error).strip().split("\n")[0]) from None
    if len(out) > most:
        raise Damaged(f"it unpacks to more than the {most} bytes that index.json says")
    return out


def _framed(data, count, what):
    """Frames of so many samples, each compressed: yields the samples."""
    _, version, _, number, _, frames = unpack("<8sHHIII", data)
    if version != 1 or number != count:
        raise Damaged(f"it is of version {version} and has {number} samples, and index.json says {count}")
    offsets, table = unpack(f"<{count + 1}I", data, 24), 28 + 4 * count
    unpack("<IIQII", data, table + 24 * (frames - 1))

    def samples():
        for frame in range(frames):
            first, n, at, packed, size = unpack("<IIQII", data, table + 24 * frame)
            raw = memoryview(_zstd(data[at:at + packed], size, what))
            if first + n > count or len(raw) != size or offsets[first + n] - offsets[first] != size:
                raise Damaged("a frame does not hold the samples that it says")
            for i in range(first, first + n):
                yield raw[offsets[i] - offsets[first]:offsets[i + 1] - offsets[first]]

    return samples()


def _leaves(spec):
    """The names of the leaves: keys of dicts, places in lists and tuples, joined with dots."""
    def walk(node, name):
        kind, children = node.get("type"), node.get("children_spec") or []
        if kind is None:
            return [name]
        keys = [str(key) for key in json.loads(node["context"])] if kind == "builtins.dict" else []
        if len(keys) != len(children):
            keys = [str(i) for i in range(len(children))]
        return [leaf for key, child in zip(keys, children) for leaf in walk(child, f"{name}.{key}" if name else key)]

    try:
        return walk(json.loads(spec)[1], "")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return []


def _column(name, format_):
    base = format_.split(":")[0]
    if base in ("jpeg", "pil", "image", "tifffile", "tiff"):
        return Column(name, "image")
    if base in ("bytes", "file"):
        return Column(name, "bytes")
    if base in ("numpy", "tensor"):
        return Column(name, "array")
    if base in ("int", "bool"):
        return Column(name, "int")
    if base == "float":
        return Column(name, "float")
    if base in ("str", "text"):
        return Column(name, "text")
    if base == "jpeg_array":
        return lists_of(name, format_)
    if base == "pickle":
        return Column(name, "other", why="it holds pickles, which are not opened, since they can run code")
    return Column(name, "other", why=f"it is of litdata's format {format_}")


def _decoder(format_, column):
    base = format_.split(":")[0]
    if base in ("jpeg", "pil"):
        # One of the processes that wrote may have met JPEG files where another met other images.
        return lambda data: (Picture(bytes(data)) if ending_of(data) else Picture(png_of_pil(data), decoded=True))
    if base in ("image", "tifffile", "tiff"):
        return lambda data: Picture(bytes(data))
    if base in ("bytes", "file"):
        return bytes
    if base == "numpy":
        return lambda data: Picture(_array(data, "<", _NUMPY), decoded=True)
    if base == "tensor":
        return lambda data: Picture(_array(data, ">", _TORCH), decoded=True)
    if base in ("int", "bool"):
        return lambda data: unpack("<q" if base == "int" else "<?", data)[0]
    if base == "float":
        return lambda data: unpack("<d", data)[0]
    if base in ("str", "text"):
        return lambda data: bytes(data).decode("utf-8")
    raise Fault(USAGE, f"the column '{column.name}' cannot be used: {column.why}")


def _array(data, order, dtypes):
    dtype, rank = unpack(order + "II", data)
    shape = unpack(f"{order}{min(rank, 32)}I", data, 8)
    return file_of_array(data[8 + 4 * rank:], dtypes.get(dtype, "another type"), shape)
