"""LMDB databases of images: keys to encoded images, or to pickled pairs of image and label, or Caffe's Datum; LSUN."""

import os
import re
import struct

import pickles
from faults import DAMAGED, USAGE, Fault, need
from pictures import NotAPicture, Picture, ending_of, file_of_array
from source import LABELS, Column, Split, plain, split_in

_ABOUT_IT = {b"__keys__", b"__len__", b"num-samples", b"length", b"__meta__", b"__class_names__", b"meta", b"nSamples"}


def find(place):
    """The splits of a database, or of a folder of databases; None if `place` is none."""
    if _is_one(place):
        return [Lmdb("", place)]
    if not place.is_dir():
        return None
    parts = sorted(path for path in place.iterdir() if not path.name.startswith(".") and _is_one(path))
    if not parts:
        return None
    # torchvision's LSUN: a database for each class and split.
    named = {path: re.fullmatch(r"(?:(.+)_)?(train|val|test)_lmdb", path.name) for path in parts}
    if all(named.values()):
        classes = sorted({match[1] for match in named.values() if match[1] and match[2] != "test"})
        splits = {}
        for path, match in named.items():
            splits.setdefault(match[2], []).append((path, match[1]))
        return [LSUN(split, databases, classes) for split, databases in sorted(splits.items())]
    splits = {}
    for path in parts:
        splits.setdefault(split_in(path.name), []).append(path)
    if "" in splits or any(len(paths) > 1 for paths in splits.values()):
        raise Fault(USAGE, f"'{place}' holds {len(parts)} databases that are not one for each split ({parts[0].name}, ...); "
                    "give one of them")
    return [Lmdb(split, paths[0]) for split, paths in splits.items()]


def _is_one(path):
    if path.is_dir():
        return (path / "data.mdb").is_file()
    return path.is_file() and path.suffix in (".mdb", ".lmdb") and not path.name.startswith("lock.")


def _check(path):
    """Damaged if the file is shorter than its own header says: LMDB would then end this process with a bus error."""
    with open(path, "rb") as file:
        head, newest = file.read(4096), None
        if len(head) >= 152 and struct.unpack_from("<I", head, 16)[0] == 0xBEEFC0DE:
            page = struct.unpack_from("<I", head, 40)[0]
            file.seek(page)
            for meta in head, file.read(152):
                if len(meta) >= 152 and struct.unpack_from("<I", meta, 16)[0] == 0xBEEFC0DE:
                    last, transaction = struct.unpack_from("<QQ", meta, 136)
                    newest = max(newest or (0, 0), (transaction, last))
    if newest is None:
        raise Fault(DAMAGED, f"'{path}' is no LMDB database, or a damaged one; copy or download it again")
    if os.path.getsize(path) < (newest[1] + 1) * page:
        raise Fault(DAMAGED, f"'{path}' is cut: it has {os.path.getsize(path)} bytes, and its header says at least "
                    f"{(newest[1] + 1) * page}; copy or download it again")


class Lmdb(Split):
    def __init__(self, name, path):
        self.name, self._path = name, path
        self._lmdb = need("lmdb", f"'{path}'")
        file = path / "data.mdb" if path.is_dir() else path
        _check(file)
        self.bytes = file.stat().st_size
        try:
            self._database = self._lmdb.open(os.fspath(path), subdir=path.is_dir(), readonly=True, lock=False,
                                             readahead=True, meminit=False)
            with self._database.begin() as transaction:
                self._look(transaction)
        except self._lmdb.Error as error:
            raise self._damaged(error) from None

    def _damaged(self, error):
        return Fault(DAMAGED, f"'{self._path}' cannot be read ({error}); copy or download it again")

    def _look(self, transaction):
        entries = transaction.stat()["entries"]
        about = sum(transaction.get(key) is not None for key in _ABOUT_IT)
        self.size, self._keys, self._kind = entries - about, None, None
        text = transaction.get(b"image-000000001")
        if text is not None and transaction.get(b"label-000000001") is not None:
            count = transaction.get(b"num-samples")
            self.size = int(count) if count and count.isdigit() else self.size // 2
            self._keys = lambda: (b"image-%09d" % i for i in range(1, self.size + 1))
            self._kind = "pairs"
        elif transaction.get(b"__keys__") is not None:
            self._keys = self._listed(transaction.get(b"__keys__"))
        if self._keys is None and transaction.get(b"10") is not None and transaction.get(b"1") is not None:
            # Numbers without zeros before them: 1, 10, 11, 2 in the order of the database.
            first = 0 if transaction.get(b"0") is not None else 1
            if all(transaction.get(b"%d" % i) is not None for i in (first, first + self.size // 2, first + self.size - 1)):
                self._keys = lambda: (b"%d" % i for i in range(first, first + self.size))
        self.columns = self._columns(transaction)

    def _listed(self, stored):
        """The keys in the order in which a database lists them; None if its list is of a kind that is not read."""
        try:
            keys = pickles.load(stored)
        except pickles.Refused:
            return None
        if not isinstance(keys, (list, tuple)) or not all(isinstance(key, (bytes, str)) for key in keys):
            return None
        keys = [key.encode() if isinstance(key, str) else key for key in keys]
        self.size = len(keys)
        return lambda: iter(keys)

    def _entries(self, transaction):
        if self._keys is None:
            for key, value in transaction.cursor():
                if key not in _ABOUT_IT:
                    yield key, value
            return
        for key in self._keys():
            value = transaction.get(key)
            if value is None:
                raise Fault(DAMAGED, f"'{self._path}' has no entry '{_text(key)}', which its list of keys or its numbers "
                            "require; copy or write the database again")
            yield key, value

    def _columns(self, transaction):
        image, first = Column("image", "image"), next(self._entries(transaction), None)
        if first is None:
            return [image]
        key, value = first
        if self._kind == "pairs":
            label = transaction.get(b"label-000000001")
            return [image, Column("label", "text")] if label is not None else [image]
        if ending_of(value):
            self._kind = "encoded"
            folders = b"/" in key
            return [image] + ([Column("label", "text")] if folders else [])
        picture, label = self._parse(key, value, self._kind_of(key, value))
        self._kind = self._kind_of(key, value)
        kind = "text" if isinstance(label, str) else "int"
        return [image] + ([Column("label", kind)] if label is not None else [])

    def _kind_of(self, key, value):
        if pickles.looks_like_one(value):
            return "pickle"
        if value[:1] == b"\x08" and _datum(value) is not None:
            return "datum"
        raise Fault(USAGE, f"'{self._path}': the entry '{_text(key)}' holds {len(value)} bytes that are no encoded image, no "
                    "pickle and no Datum of Caffe; write a database of encoded images, or read it with the program that wrote it")

    def _parse(self, key, value, kind):
        """(picture, label) of an entry."""
        if kind == "encoded":
            return Picture(value), _text(key).split("/")[0] if b"/" in key else None
        try:
            if kind == "datum":
                datum = _datum(value)
                if datum is None:
                    raise pickles.Refused("it is no Datum of Caffe")
                return datum
            return _image_and_label(pickles.load(value))
        except pickles.Refused as error:
            raise Fault(USAGE, f"'{self._path}': the entry '{_text(key)}' cannot be read: {error}; write a database of encoded "
                        "images, such as pickle.dumps((jpeg_bytes, label))") from None
        except NotAPicture as error:
            raise Fault(USAGE, f"'{self._path}': the entry '{_text(key)}': {error}") from None

    def where(self, row):
        return f"'{self._path}', entry {row}"

    def rows(self, wanted):
        try:
            with self._database.begin() as transaction:
                for key, value in self._entries(transaction):
                    if self._kind == "pairs":
                        label = transaction.get(key.replace(b"image", b"label")) if "label" in wanted else None
                        picture, label = Picture(value), label if label is None else label.decode("utf-8", "replace")
                    else:
                        picture, label = self._parse(key, value, self._kind)
                    picture.name = _text(key)
                    yield tuple(picture if name == "image" else label for name in wanted)
        except self._lmdb.Error as error:
            raise self._damaged(error) from None


class LSUN(Split):
    """torchvision's LSUN, one split: databases of encoded images, whose classes are their names."""

    def __init__(self, name, databases, classes):
        self.name = name
        self._databases = [(Lmdb("", path), classes.index(class_) if class_ in classes else None)
                           for path, class_ in databases]
        self.size = sum(database.size for database, _ in self._databases)
        self.bytes = sum(database.bytes for database, _ in self._databases)
        self.columns = [Column("image", "image")]
        if any(label is not None for _, label in self._databases):
            self.columns.append(Column("label", "classes", classes))

    def where(self, row):
        for database, _ in self._databases:
            if row < database.size:
                return database.where(row)
            row -= database.size
        return "its end"

    def rows(self, wanted):
        for database, label in self._databases:
            for picture, in database.rows(["image"]):
                yield tuple(picture if name == "image" else label for name in wanted)


def _text(key):
    return key.decode("utf-8", "backslashreplace")


def _image_and_label(value):
    """Of what people pickle: (image, label), [image, label], {"image": image, "label": label}, or the image."""
    if isinstance(value, bytes):
        value = (value,)
    if isinstance(value, dict):
        names = sorted((name for name in value if isinstance(name, str) and plain(name) in LABELS),
                       key=lambda name: LABELS.index(plain(name)))
        value = [*(part for part in value.values() if isinstance(part, bytes)), *(value[name] for name in names[:1])]
    if not isinstance(value, (list, tuple)):
        raise pickles.Refused(f"its pickle holds {type(value).__name__}, not an image and a label")
    images = [part for part in value if isinstance(part, bytes) and ending_of(part)]
    labels = [part for part in value if isinstance(part, (int, str)) and not isinstance(part, bool)]
    if len(images) != 1 or len(labels) > 1:
        raise pickles.Refused(f"its pickle holds {len(images)} encoded images and {len(labels)} numbers or words, not one image "
                              "and at most one label")
    return Picture(images[0]), labels[0] if labels else None


def _datum(data):
    """(picture, label) of Caffe's Datum; None for what is none. Its pixels are planes of blue, green and red."""
    fields, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while at < len(data) and shift < 64:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
        raise ValueError

    try:
        while at < len(data):
            tag = varint()
            if tag & 7 == 0:
                fields[tag >> 3] = varint()
            elif tag & 7 == 2:
                size = varint()
                if at + size > len(data):
                    return None
                fields[tag >> 3], at = data[at:at + size], at + size
            elif tag & 7 == 5:
                at += 4
            else:
                return None
    except ValueError:
        return None
    pixels, label = fields.get(4), fields.get(5)
    if not isinstance(pixels, bytes) or not all(isinstance(fields.get(i, 0), int) for i in (1, 2, 3, 5, 7)):
        return None
    if label is not None and label >= 1 << 63:
        label -= 1 << 64
    if fields.get(7) or ending_of(pixels):
        return Picture(pixels), label
    shape = [fields.get(i, 0) for i in (1, 2, 3)]
    if shape[0] * shape[1] * shape[2] != len(pixels):
        return None
    if shape[0] == 3:
        plane = shape[1] * shape[2]
        pixels = pixels[2 * plane:] + pixels[plane:2 * plane] + pixels[:plane]
    if shape[0] == 1:
        shape = shape[1:]
    elif shape[2] <= 4:
        raise NotAPicture(f"images of {shape[2]} columns cannot be told from channels")
    return Picture(file_of_array(pixels, "uint8", shape), decoded=True), label
