"""Which columns of a source are its images, labels and names, and which numbers its labels become."""

import re

from faults import USAGE, Fault, shown
from pictures import Picture, ending_of
from source import LABELS, NAMES, plain

MOST_CLASSES = 1 << 20  # of data/listing.h
_PROBED = 20
_SCALAR = ("classes", "int", "text", "float", "bytes")

_IMAGE_NAME = re.compile(r"\.(jpe?g|png|webp|tiff?|bmp|gif|p[bgp]m|pnm)$", re.IGNORECASE)


class Choice:
    """`image`, `label`, `name`: columns, the latter two None if there are none; `others`: names of further columns that
    are kept; `unused`: a column that is called like labels and cannot be used, and why, or ""."""

    def __init__(self, image, label, name, others, unused):
        self.image, self.label, self.name, self.others, self.unused = image, label, name, others, unused


def _first(split, column, count=_PROBED):
    """The first values that are not empty."""
    found = []
    for i, (value,) in enumerate(split.rows([column.name])):
        if value is not None and not (isinstance(value, Picture) and value.data is None) and value != "":
            found.append(value)
        if len(found) == count or i == 50 * count:
            break
    return found


def _find(columns, wanted, place):
    """A column by its name or its number from 1."""
    for column in columns:
        if column.name == wanted:
            return column
    if wanted.isdigit() and 1 <= int(wanted) <= len(columns):
        return columns[int(wanted) - 1]
    raise Fault(USAGE, f"--columns: '{place}' has no column '{wanted}'; it has {shown([column.name for column in columns], 20)}")


def choose(splits, place, given, files):
    """`given`: the names of --columns, which may be fewer than three; `files`: whether --files is given."""
    if not any(split.size for split in splits):
        raise Fault(USAGE, f"'{place}' holds no samples")
    # A split may lack columns, as test images lack labels.
    split = max((other for other in splits if other.size), key=lambda other: len(other.columns))
    for other in splits:
        for column in other.columns:
            same = next((own for own in split.columns if own.name == column.name), None)
            if other.size and same is not None and (same.kind, same.classes) != (column.kind, column.classes) and \
                    (not given or column.name in given):
                raise Fault(USAGE, f"the column '{column.name}' is another one in the split {other.name} of '{place}' than in "
                            f"{split.name}; convert each by itself, or choose columns that all have with "
                            "--columns=IMAGE,LABEL")
    columns = split.columns
    image = _find(columns, given[0], place) if given else _image(split, place, files)
    for other in splits:
        if other.size and image.name not in [column.name for column in other.columns]:
            raise Fault(USAGE, f"the split {other.name} of '{place}' has no column '{image.name}'; convert each split by itself")
    named = _check_image(split, image, place, files)
    others = [column for column in columns if column is not image]
    if given:
        label, name = ([_find(columns, wanted, place) for wanted in given[1:]] + [None, None])[:2]
        for column in label, name:
            if column is not None and column.kind not in _SCALAR:
                raise Fault(USAGE, f"--columns: the column '{column.name}' of '{place}' holds neither numbers nor text"
                            + (f"; {column.why}" if column.why else "; choose another"))
    else:
        label = _label(others, place, image)
        name = next((column for wanted in NAMES for column in others if not named and column is not label
                     and plain(column.name) == wanted and column.kind in ("text", "int")), None)
    kept = [column.name for column in others if column.kind in _SCALAR and column.kind != "bytes" and column not in (label, name)]
    unused = "" if given or label else next((f"the column '{column.name}': {column.why or 'it holds arrays'}, not a class"
                                             for column in others if plain(column.name) in LABELS), "")
    return Choice(image, label, name, kept, unused)


def _ask(what, columns, image=None):
    first = f"{image.name}," if image else ""
    return (f"choose {what} with --columns=" + " or --columns=".join(f"{first}{column.name}" for column in columns[:3]))


def _image(split, place, files):
    columns = split.columns
    found = [column for column in columns if column.kind == "image"]
    if not found:
        found = [column for column in columns if column.kind == "bytes"
                 and any(ending_of(value) for value in _first(split, column, 5))]
    if not found:
        found = [column for column in columns if column.kind == "array"]
        found = [column for column in found if plain(column.name) in ("image", "img", "pixel", "picture", "x")] or found
    if not found and files:
        found = [column for column in columns if column.kind == "text" and _are_paths(_first(split, column))]
    if len(found) == 1:
        return found[0]
    if found:
        raise Fault(USAGE, f"'{place}' has several columns of images ({shown([c.name for c in found])}); "
                    + _ask("one", found))
    for column in columns:
        if column.kind == "text":
            _refuse_text(column, _first(split, column), place)
    said = [f"{column.name}: {column.why}" for column in columns if column.why]
    raise Fault(USAGE, f"'{place}' has no column of images; its columns are {shown([c.name for c in columns], 12)}"
                + (f" ({said[0]})" if said else "") + "; name one with --columns=IMAGE,LABEL")


def _are_paths(values):
    return bool(values) and all(isinstance(value, str) and _IMAGE_NAME.search(value) and "://" not in value for value in values)


def _refuse_text(column, values, place):
    """Says what to do if a column of text stands for pictures."""
    if values and all(re.match(r"(https?|s3|gs)://", value) for value in values):
        raise Fault(USAGE, f"the column '{column.name}' of '{place}' holds addresses such as '{values[0][:80]}', not pictures; "
                    "download them first, for example with img2dataset --output_format=webdataset, whose shards MoCo++ reads")
    if values and all(re.match(r"data:image/|/9j/|iVBORw0KGgo|UklGR", value) for value in values):
        raise Fault(USAGE, f"the column '{column.name}' of '{place}' holds images as text (base64); decode them into a column of "
                    "bytes first")
    if _are_paths(values):
        _refuse_paths(column, values[0], place)


def _refuse_paths(column, path, place):
    raise Fault(USAGE, f"the column '{column.name}' of '{place}' holds paths such as '{path[:80]}', not pictures: the images are "
                "elsewhere; if you have them, give the folder to which the paths are relative, --files=FOLDER (--files=/ for "
                "whole paths); else have the data set written again with the pictures in it, as save_to_disk and push_to_hub do")


def _check_image(split, image, place, files):
    """Whether the images have names; Fault unless the first values are images."""
    if image.kind == "other":
        raise Fault(USAGE, f"the column '{image.name}' of '{place}' holds no images that can be written: {image.why}")
    values = _first(split, image)
    if not values:
        raise Fault(USAGE, f"the column '{image.name}' of '{place}' is empty in its first rows; choose another with "
                    "--columns=IMAGE,LABEL")
    texts = [value for value in values if isinstance(value, str)]
    if texts:
        if not files:
            _refuse_text(image, texts, place)
            _refuse_paths(image, texts[0], place)
        return True
    if not any(isinstance(value, bytes) and ending_of(value) or isinstance(value, Picture) and ending_of(value.data)
               for value in values):
        start = values[0].data if isinstance(values[0], Picture) else values[0]
        raise Fault(USAGE, f"the column '{image.name}' of '{place}' holds no images: its first value is {start[:24]!r}; choose "
                    "another with --columns=IMAGE,LABEL")
    return any(isinstance(value, Picture) and value.name for value in values)


def _label(others, place, image):
    stated = [column for column in others if column.kind == "classes"]
    if len(stated) > 1:
        raise Fault(USAGE, f"'{place}' has several columns of labels ({shown([c.name for c in stated])}); "
                    + _ask("one", stated, image) + f", or none with --columns={image.name}")
    if stated:
        return stated[0]
    scalar = [column for column in others if column.kind in _SCALAR]
    for wanted in LABELS:
        named = [column for column in scalar if plain(column.name) == wanted]
        if named:
            return named[0]
    numbers = [column for column in scalar if column.kind == "int" and plain(column.name) not in (*NAMES, "i", "index", "idx")]
    return numbers[0] if len(numbers) == 1 and len(scalar) == 1 else None


class Labels:
    """Turns the values of a column into classes from 0. `names`: the classes' names, or None."""

    def __init__(self, splits, column, place, progress):
        self._column, self._place, self.names, self._numbers = column, place, column.classes, None
        if column.kind not in ("text", "bytes"):
            return
        values, total, done = set(), sum(split.size for split in splits), 0
        for split in splits:
            for value, in split.rows([column.name]) if split.has(column.name) else ():
                done += 1
                progress(lambda: f"reading the labels: {done:,} of {total:,}")
                text = self._text(value)
                if text:
                    values.add(text)
                if len(values) > MOST_CLASSES:
                    break
        if len(values) >= 10 and (len(values) > MOST_CLASSES or len(values) == total):
            raise Fault(USAGE, f"the column '{column.name}' of '{place}' has another value in each row, such as "
                        f"'{min(values)[:60]}', so it holds no classes; choose the labels with --columns=IMAGE,LABEL, or none "
                        "with --columns=IMAGE")
        if values and all(re.fullmatch(r"-?\d+(\.0*)?", value) for value in values):
            return
        # As in lists: the names, sorted by their bytes.
        self.names = sorted(values, key=lambda value: value.encode("utf-8", "surrogatepass"))
        self._numbers = {name: i for i, name in enumerate(self.names)}

    def _text(self, value):
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if self._column.kind == "text" and value is not None:
            value = str(value)  # pickles may hold words here and numbers there
        return value.strip() if isinstance(value, str) else value

    def of(self, value, where):
        """None for no label: nothing, or -1."""
        value = self._text(value)
        if value is None or value == "":
            return None
        if self._numbers is not None:
            return self._numbers[value]
        try:
            number = int(value) if not isinstance(value, str) else int(float(value))
            whole = number == float(value)
        except (ValueError, OverflowError):
            number, whole = 0, False
        if number == -1 and whole:
            return None
        if not whole or not 0 <= number < (len(self.names) if self.names else MOST_CLASSES):
            raise Fault(USAGE, f"{where()}: the column '{self._column.name}' holds {value!r}, and a class is a whole number from 0 "
                        f"to {(len(self.names) if self.names else MOST_CLASSES) - 1}, or -1 for none; choose the labels with "
                        "--columns=IMAGE,LABEL, or none with --columns=IMAGE")
        return number
