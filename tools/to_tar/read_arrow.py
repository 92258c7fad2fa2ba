"""Parquet files and Arrow files, as Hugging Face's datasets and others write them."""

import bisect
import contextlib
import json
import os

from faults import DAMAGED, USAGE, Fault, need, shown
from pictures import NotAPicture, Picture, file_of_array
from source import Column, Split, by_split, inside

# Bytes of images that are in memory at once, about.
_BATCH_BYTES = 8 << 20


def find(place):
    """The splits of a Parquet or Arrow file, or of a folder of them; None if `place` is none."""
    if place.is_file():
        if place.suffix == ".parquet":
            return [Parquet("", [place], place.parent)]
        return [Arrow("", [place], place.parent)] if place.suffix == ".arrow" else None
    if (place / "dataset_dict.json").exists():
        with _layout(place / "dataset_dict.json"):
            splits = [(inside(place, name), name) for name in _json(place / "dataset_dict.json")["splits"]]
        return [_saved(folder, name) for folder, name in splits]
    if (place / "state.json").exists():
        return [_saved(place, "")]
    for ending, kind in ("parquet", Parquet), ("arrow", Arrow):
        files = sorted(path for path in place.rglob(f"*.{ending}") if not _hidden(path.relative_to(place)))
        # What datasets.map keeps beside a data set repeats it.
        files = [path for path in files if not path.name.startswith(("cache-", "tmp"))] if ending == "arrow" else files
        if files:
            name_of = lambda path: path.relative_to(place).as_posix()
            return [kind(name, paths, place) for name, paths in by_split(files, name_of, place)]
    return None


def _hidden(path):
    return any(part.startswith(".") for part in path.parts)


def _json(path):
    try:
        value = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise Fault(DAMAGED, f"'{path}' cannot be read ({error}); copy or write the data set again") from None
    if not isinstance(value, dict):
        raise Fault(DAMAGED, f"'{path}' is not as save_to_disk writes it; write the data set again")
    return value


@contextlib.contextmanager
def _layout(path):
    """For what is read from a file of JSON."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise Fault(DAMAGED, f"'{path}' is not as save_to_disk writes it ({type(error).__name__}: {error}); copy or save the data "
                    "set again") from None


def _saved(folder, name):
    """A folder of Dataset.save_to_disk."""
    state = _json(folder / "state.json")
    if state.get("_indices_data_files") or state.get("_indices_files"):
        raise Fault(USAGE, f"'{folder}' was saved with a list of chosen rows beside it, by an old version of datasets; "
                    "save it again: load_from_disk(...).flatten_indices().save_to_disk(...)")
    with _layout(folder / "state.json"):
        files = [inside(folder, file["filename"]) for file in state["_data_files"]]
    return Arrow(name, files, folder)


class _Table(Split):
    def __init__(self, name, files, root):
        self.name, self._files, self._root = name, files, root
        self.bytes, counts, columns = 0, [], None
        self._pa = need("pyarrow", f"'{files[0] if files else root}'")
        import pyarrow.compute  # a module of its own
        for file in files:
            if not file.exists():
                raise Fault(DAMAGED, f"'{file}' is not there, but the data set names it; copy the whole folder")
            self.bytes += file.stat().st_size
            with self._reading(file):
                schema, count = self._look(file)
                self.columns = self._columns_of(schema)
            own = {column.name: (column.kind, column.classes) for column in self.columns}
            columns = columns or own
            if own != columns:
                different = [name for name in columns | own if own.get(name) != columns.get(name)]
                raise Fault(USAGE, f"'{file}' and '{files[0]}' have other columns or classes ({shown(different)}); give one of "
                            "the data sets, a folder or a file")
            counts.append(count)
        self._ends = [sum(counts[:i + 1]) for i in range(len(counts))]
        self.size = sum(counts)

    def _reading(self, file):
        return _Reading(self._pa, file)

    def where(self, row):
        file = bisect.bisect_right(self._ends, row)
        return f"'{self._files[file]}', row {row - (self._ends[file - 1] if file else 0)}"

    def _columns_of(self, schema):
        features = {}
        if b"huggingface" in (schema.metadata or {}):
            try:
                features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
            except (ValueError, KeyError, TypeError):
                pass  # only names of classes are lost, and the types say the rest
        return [self._column_of(field, features.get(field.name) if isinstance(features, dict) else None)
                for field in schema]

    def _column_of(self, field, feature):
        types = self._pa.types
        kind = feature.get("_type") if isinstance(feature, dict) else None
        type_ = field.type
        while hasattr(type_, "storage_type"):
            type_ = type_.storage_type
        if types.is_dictionary(type_):
            type_ = type_.value_type
        if kind == "Image" or kind is None and types.is_struct(type_) and any(
                part.name == "bytes" and self._is_binary(part.type) for part in type_):
            return Column(field.name, "image")
        if kind == "ClassLabel" and types.is_integer(type_):
            names = feature.get("names")
            named = isinstance(names, list) and names and all(isinstance(name, str) for name in names)
            return Column(field.name, "classes", names if named else None)
        if types.is_integer(type_) or types.is_boolean(type_):
            return Column(field.name, "int")
        if types.is_string(type_) or types.is_large_string(type_) or type_ == self._pa.string_view():
            return Column(field.name, "text")
        if self._is_binary(type_):
            return Column(field.name, "bytes")
        if types.is_floating(type_) or types.is_decimal(type_):
            return Column(field.name, "float")
        depth, inner = 0, type_
        while types.is_list(inner) or types.is_large_list(inner) or types.is_fixed_size_list(inner):
            depth, inner = depth + 1, inner.value_type
        if depth in (2, 3, 4) and (types.is_integer(inner) or types.is_floating(inner) or types.is_boolean(inner)):
            return Column(field.name, "array")
        if depth and (types.is_struct(inner) or types.is_binary(inner)):
            return Column(field.name, "other", why="it holds lists, so perhaps several images in a row")
        return Column(field.name, "other", why=f"it is of type {field.type}")

    def _is_binary(self, type_):
        types = self._pa.types
        return (types.is_binary(type_) or types.is_large_binary(type_) or types.is_fixed_size_binary(type_)
                or type_ == self._pa.binary_view())

    def rows(self, wanted):
        kinds = [self.column(name).kind for name in wanted]
        row = 0
        for file in self._files:
            with self._reading(file):
                for batch in self._batches(file, wanted):
                    columns = [self._values(batch.column(batch.schema.get_field_index(name)), kind)
                               for name, kind in zip(wanted, kinds)]
                    for i in range(batch.num_rows):
                        try:
                            values = tuple(value(i) for value in columns)
                        except NotAPicture as error:
                            raise Fault(USAGE, f"{self.where(row)}: {error}") from None
                        yield values
                        row += 1

    def _values(self, array, kind):
        """A function from a row of the batch to the value."""
        while hasattr(array, "storage"):
            array = array.storage
        if kind == "image":
            if self._pa.types.is_struct(array.type):
                names = [field.name for field in array.type]
                data, path = (array.field(name) if name in names else None for name in ("bytes", "path"))

                def picture(i):
                    if not array[i].is_valid:
                        return Picture(None)
                    bytes_ = data[i].as_py() if data is not None else None
                    name = path[i].as_py() if path is not None else None
                    return name if bytes_ is None and name else Picture(bytes_, name)

                return picture
            if self._pa.types.is_string(array.type) or self._pa.types.is_large_string(array.type):
                return lambda i: array[i].as_py() or Picture(None)
            return lambda i: Picture(array[i].as_py())
        if kind == "array":
            return lambda i: Picture(self._png(array[i]) if array[i].is_valid else None, decoded=True)
        return lambda i: array[i].as_py()

    def _png(self, scalar):
        """Of a list of lists of numbers, read from its buffer: Python's own numbers would take seconds for an image."""
        shape, values = [len(scalar)], scalar.values
        types = self._pa.types
        while hasattr(values, "storage"):
            values = values.storage
        while types.is_list(values.type) or types.is_large_list(values.type) or types.is_fixed_size_list(values.type):
            lengths = values.value_lengths()
            if values.null_count or len(values) == 0 or lengths[0] != self._pa.compute.min(lengths) or \
                    lengths[0] != self._pa.compute.max(lengths):
                raise NotAPicture("its lists have different lengths, so they are no image")
            shape.append(lengths[0].as_py())
            values = values.flatten()
        dtype = {"float": "float32", "double": "float64", "halffloat": "float16"}.get(str(values.type), str(values.type))
        if values.null_count:
            raise NotAPicture("it has pixels without a value")
        if dtype == "bool":
            values = values.cast("uint8")
        size = values.type.bit_width // 8
        buffer = values.buffers()[1]
        return file_of_array(memoryview(buffer)[values.offset * size:(values.offset + len(values)) * size], dtype, shape)


class _Reading:
    """Turns pyarrow's errors into one line that names the file."""

    def __init__(self, pa, file):
        self._pa, self._file = pa, file

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, self._pa.ArrowMemoryError):
            raise MemoryError from None
        if isinstance(error, (self._pa.ArrowException, EOFError, UnicodeDecodeError)) or type(error) is OSError:
            with open(self._file, "rb") as file:
                if file.read(40).startswith(b"version https://git-lfs"):
                    raise Fault(DAMAGED, f"'{self._file}' is not the file but a pointer of Git LFS; run git lfs pull in its "
                                "folder") from None
            said = str(error).strip().split("\n")[0].rstrip(".")
            raise Fault(DAMAGED, f"'{self._file}' is damaged or incomplete ({said}); copy or download it again") from None


class Parquet(_Table):
    def _open(self, file):
        import pyarrow.parquet  # a module of its own
        # Pages come as they are needed: a file may be one row group of gigabytes.
        return pyarrow.parquet.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False)

    def _look(self, file):
        with self._open(file) as parquet:
            return parquet.schema_arrow, parquet.metadata.num_rows

    def _batches(self, file, wanted):
        with self._open(file) as parquet:
            for group in range(parquet.num_row_groups):
                metadata = parquet.metadata.row_group(group)
                if metadata.num_rows == 0:
                    continue
                bytes_of_row = max(1, metadata.total_byte_size // metadata.num_rows)
                rows = max(1, min(1000, _BATCH_BYTES // bytes_of_row))
                yield from parquet.iter_batches(batch_size=rows, row_groups=[group], columns=list(wanted), use_threads=False)


class Arrow(_Table):
    """In the stream format, as save_to_disk writes it, or the file format. Both are mapped, so nothing is copied."""

    def _open(self, file):
        import pyarrow.ipc
        mapped = self._pa.memory_map(os.fspath(file))
        if mapped.read(6) == b"ARROW1":
            reader = pyarrow.ipc.open_file(mapped)
            return reader.schema, (reader.get_batch(i) for i in range(reader.num_record_batches))
        mapped.seek(0)
        mark = b"\xff\xff\xff\xff\0\0\0\0" if mapped.read_at(4, 0) == b"\xff\xff\xff\xff" else bytes(4)
        if mapped.size() > 8 and mapped.read_at(len(mark), mapped.size() - len(mark)) != mark:
            # Cut between two batches, it would be read as a shorter one.
            raise Fault(DAMAGED, f"'{file}' lacks its end mark, so rows are missing; copy or save it again")
        reader = pyarrow.ipc.open_stream(mapped)
        return reader.schema, reader

    def _look(self, file):
        schema, batches = self._open(file)
        return schema, sum(batch.num_rows for batch in batches)

    def _batches(self, file, wanted):
        for batch in self._open(file)[1]:
            batch = batch.select(list(wanted))
            batch.validate(full=True)  # what is mapped may say anything, such as offsets outside of the file
            yield batch
