"""What the readers of all forms have in common: a source is a list of splits, a split has columns and rows."""

import pathlib
import re

from faults import USAGE, Fault, shown


class Column:
    """A column of a split. `kind`: image (said to be one), bytes, array, classes, int, text, float, or other."""

    def __init__(self, name, kind, classes=None, why=""):
        self.name, self.kind, self.classes, self.why = name, kind, classes, why


class Split:
    """A part of a source, which is read in order.

    name: as the source has it, "" if it has no splits; size: number of rows; bytes: about how many; columns: a list.
    """

    name, size, bytes, columns = "", 0, 0, ()

    def rows(self, wanted):
        """Yields a tuple for each row, of the values of the columns called `wanted`: a Picture for one of kind image or
        array, a str for a path instead of a picture; otherwise int, float, str, bytes, bool or None."""
        raise NotImplementedError

    def where(self, row):
        """For messages."""
        raise NotImplementedError

    def has(self, name):
        return any(column.name == name for column in self.columns)

    def column(self, name):
        return next(column for column in self.columns if column.name == name)


def inside(folder, name):
    """The file of an index, which may lie in a folder below."""
    path = pathlib.PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"'{name}' is not in the folder of the index")
    return folder / path


# Names of columns as plain() writes them; earlier ones are preferred. data/table.cc has the same for labels.
LABELS = ["label", "class", "category", "target", "cls", "labelname", "classname", "categoryname", "classlabel", "labelid",
          "classid", "categoryid", "labelindex", "labelidx", "classindex", "classidx", "y"]
NAMES = ["key", "filename", "file", "filepath", "path", "imagepath", "imagename", "name", "imageid", "imgid", "id", "uid"]


def plain(name):
    text = "".join(c for c in name.rsplit(".", 1)[-1].lower() if c.isalnum())
    return text[:-1] if len(text) > 3 and text.endswith("s") and not text.endswith("ss") else text


# The folder that a split of this name gets.
FOLDERS = {"training": "train", "valid": "val", "validation": "val", "dev": "val", "testing": "test", "eval": "test",
           "evaluation": "test", "unlabelled": "unlabeled", "unsupervised": "unlabeled"}
_KNOWN = {"train", "val", "test", "unlabeled", *FOLDERS}


def folder_of(split):
    """Of a split's name: train for training, val for validation; other names as they are."""
    low = split.lower()
    return FOLDERS.get(low, low if low in _KNOWN else re.sub(r"[^\w.-]", "_", split).lstrip("."))


def split_in(name):
    """The split that the words of a name say, such as train of data/train-00000-of-00002.parquet; "" for none."""
    found = {folder_of(word) for word in re.split(r"[^a-z]+", name.lower()) if word in _KNOWN}
    return found.pop() if len(found) == 1 else ""


def by_split(paths, name_of, place):
    """Groups paths by the split that name_of(path) says, in order. Fault if only some say one."""
    groups = {}
    for path in paths:
        groups.setdefault(split_in(name_of(path)), []).append(path)
    # The hub's own names have any split before the numbers: extra-00000-of-00002.parquet.
    own = [re.match(r"(.+)-\d{5}-of-\d{5}\.", path.name) for path in groups.get("", [])]
    if own and all(own) and (len(groups) > 1 or len({match[1] for match in own}) > 1):
        for path, match in zip(groups.pop(""), own):
            groups.setdefault(match[1], []).append(path)
    if "" in groups and len(groups) > 1:
        named = next(split for split in groups if split)
        raise Fault(USAGE, f"'{place}' holds '{name_of(groups[named][0])}' of the split {named}, and "
                    f"'{name_of(groups[''][0])}' of none; give one file or a folder that holds one kind")
    for split, own in groups.items():
        folders = list(dict.fromkeys(path.parent for path in own))
        if len(folders) > 1:
            raise Fault(USAGE, f"'{place}' holds files{' of the split ' + split if split else ''} in several folders "
                        f"({shown([folder.relative_to(place) for folder in folders], 3)}), which may be several data sets; give one "
                        "folder, or put the files of one data set into one")
    order = ["train", "val", "test", "unlabeled"]
    return sorted(groups.items(), key=lambda item: (order.index(item[0]) if item[0] in order else len(order), item[0]))
