"""Writes the samples of a source into shards."""

import json
import math
import os
import pathlib
import re
import shutil
import sys
import time

import read_arrow
import read_lmdb
import read_litdata
import read_mds
from choose import Labels, choose
from faults import RESOURCE, USAGE, Fault, shown
from pictures import Picture, ending_of
from shards import Shards
from source import folder_of

_READERS = [read_arrow, read_mds, read_litdata, read_lmdb]


class Progress:
    """A line every few seconds, on standard error."""

    def __init__(self, seconds=5):
        self._seconds, self._last = seconds, time.monotonic()

    def __call__(self, text):
        now = time.monotonic()
        if now - self._last >= self._seconds:
            self._last = now
            print(text(), file=sys.stderr, flush=True)


def span(seconds):
    """As base::FormatSeconds writes it."""
    s = round(seconds)
    if s >= 3600:
        return f"{s // 3600} h {s % 3600 // 60:02} min"
    return f"{s // 60} min {s % 60:02} s" if s >= 60 else f"{s} s"


def size(number):
    """As base::FormatBytes writes it."""
    if number >= 1e9:
        return f"{number / 1e9:.1f} GB"
    return f"{number / 1e6:.0f} MB" if number >= 1e6 else f"{-(-number // 1000):.0f} kB"


def counted(number, thing, plural="s"):
    return f"{number:,} {thing}{'' if number == 1 else plural}"


def find(place):
    """The splits of a source."""
    if not place.exists():
        raise Fault(USAGE, f"'{place}' does not exist; give a folder or a file of one of these: Parquet, save_to_disk, MDS, "
                    "litdata, LMDB")
    found = [(reader, splits) for reader in _READERS for splits in [reader.find(place)] if splits]
    if not found:
        raise Fault(USAGE, f"'{place}' is none of the forms that are converted: Parquet files, a folder of save_to_disk, an "
                    "index.json of MosaicML's streaming or of litdata, or LMDB's data.mdb; docs/data.md has other forms")
    if len(found) > 1:
        names = [reader.__name__.split("_")[1] for reader, _ in found]
        raise Fault(USAGE, f"'{place}' holds several forms of data ({shown(names)}); give the folder or file of one")
    return found[0][1]


class _Files:
    """Images that a source names by their paths, in the folder of --files."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder).resolve()
        if not self._folder.is_dir():
            raise Fault(USAGE, f"--files: '{folder}' is no folder")

    def read(self, name, where):
        path = (self._folder / name).resolve()
        # A data set of others does not choose which files of this machine are copied.
        if not path.is_relative_to(self._folder):
            raise Fault(USAGE, f"{where()}: '{name}' is not in the folder of --files, '{self._folder}'; give the folder to which "
                        "the paths are relative, or --files=/ for whole paths")
        try:
            return Picture(path.read_bytes(), name)
        except OSError as error:
            raise Fault(USAGE, f"{where()}: '{path}' cannot be read ({error.strerror}); give the folder to which the paths are "
                        "relative with --files=FOLDER") from None


def _key(row, name):
    """Sorts by the row, and says the name as far as a key may: WebDataset ends keys at the first dot."""
    base = re.split(r"[/\\]", name)[-1] if name else ""
    stem = base.rsplit(".", 1)[0] if "." in base[1:] else base
    stem = re.sub(r"[^\w-]+", "_", stem)[:60].strip("_")
    return f"{row:09}" + (f"_{stem}" if stem and stem.lstrip("0") != str(row).lstrip("0") else "")


class _Counts:
    def __init__(self):
        self.images = self.empty = self.decoded = self.tiff = self.unlabelled = self.unknown = 0
        self.first_unknown = ""


def convert(place, out, columns, files, most):
    """Converts `place` into the folder `out`, which appears when all is done. Prints what it does."""
    if os.path.lexists(out):
        raise Fault(RESOURCE, f"'{out}' exists already, and nothing is overwritten; give another folder, or remove it")
    splits = find(place)
    folders = [folder_of(split.name) for split in splits]
    for i, folder in enumerate(folders):
        if folder in folders[:i]:
            raise Fault(USAGE, f"the splits {splits[folders.index(folder)].name} and {splits[i].name} of '{place}' would both be "
                        f"'{folder}/'; convert each by itself")
    progress = Progress()
    choice = choose(splits, place, columns, files is not None)
    files = _Files(files) if files is not None else None
    said = f"images: '{choice.image.name}'" + (f", names: '{choice.name.name}'" if choice.name else "")
    labels = Labels(splits, choice.label, place, progress) if choice.label else None
    said += f", labels: '{choice.label.name}'" if labels else ", no labels"
    if labels and labels.names is not None:
        said += f" ({counted(len(labels.names), 'class', 'es')}: {shown(labels.names, 3)})"
    print(f"{place}: {counted(sum(split.size for split in splits), 'sample')}, {size(sum(split.bytes for split in splits))}; {said}",
          flush=True)
    if choice.unused:
        print(f"note: left out: {choice.unused}", flush=True)
    part = out.with_name(out.name + ".part")
    _make(part)
    free, needed = shutil.disk_usage(part).free, sum(split.bytes for split in splits)
    if free < needed:
        print(f"note: '{part.parent}' has {size(free)} left, and the source has {size(needed)}", flush=True)
    try:
        writer = _Writer(choice, labels, files, most, progress, sum(split.size for split in splits))
        for split, folder in zip(splits, folders):
            writer.write(split, part / folder)
        if writer.counts.images == 0:
            raise Fault(USAGE, f"'{place}' holds no image")
        if labels and labels.names is not None:
            names = "".join(re.sub(r"\s+", " ", name) + "\n" for name in labels.names)
            for folder in {part / folder for folder in folders}:
                if folder.exists():
                    (folder / "classes.txt").write_text(names, "utf-8")
        # The names must not outlive the contents when the power fails.
        for folder in {part / folder for folder in folders} | {part}:
            if folder.exists():
                _sync(folder)
        os.rename(part, out)
        _sync(out.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    writer.report(out)


def _sync(folder):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make(part):
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        part.mkdir()
    except FileExistsError:
        raise Fault(RESOURCE, f"'{part}' is there: another to_tar writes it, or one was killed; remove it if none runs") from None
    except OSError as error:
        raise Fault(RESOURCE, f"'{part}' cannot be made ({error.strerror}); give another folder") from None


class _Writer:
    def __init__(self, choice, labels, files, most, progress, total):
        self._choice, self._labels, self._files, self._most = choice, labels, files, most
        self._progress, self._total, self._done, self._start = progress, total, 0, time.monotonic()
        self.counts, self._shards = _Counts(), 0

    def write(self, split, folder):
        choice = self._choice
        wanted = [choice.image.name] + [column.name for column in (choice.label, choice.name) if column] + choice.others
        wanted = [name for name in wanted if split.has(name)]
        folder.mkdir(exist_ok=True)
        shards, ending = Shards(folder, self._most), "jpg"
        try:
            for row, values in enumerate(split.rows(wanted)):
                self._done += 1
                self._progress(self._say)
                values = dict(zip(wanted, values))
                where = lambda: split.where(row)
                picture = values.pop(choice.image.name)
                if isinstance(picture, str):
                    if self._files is None:
                        raise Fault(USAGE, f"{where()} holds a path, '{picture[:80]}', not a picture; if you have the file, give the "
                                    "folder to which the path is relative, --files=FOLDER (--files=/ for whole paths)")
                    picture = self._files.read(picture, where)
                elif not isinstance(picture, Picture):
                    picture = Picture(picture)
                if not picture.data:
                    self.counts.empty += 1
                    continue
                ending = self._ending(picture, ending, where)
                name = values.pop(choice.name.name, None) if choice.name else None
                name = picture.name if name is None else str(name)
                parts = [(ending, picture.data)]
                if self._labels:
                    value = values.pop(choice.label.name, None)
                    label = self._labels.of(value, where)
                    if label is None:
                        self.counts.unlabelled += 1
                    else:
                        parts.append(("cls", b"%d" % label))
                        if self._labels.names is not None:
                            values["class_name"] = self._labels.names[label]
                told = self._told(name, values)
                if told:
                    parts.append(("json", told))
                shards.add(_key(row, name), parts)
                self.counts.images += 1
                self.counts.decoded += picture.decoded
                self.counts.tiff += picture.decoded and ending == "tif"
            shards.close()
        finally:
            shards.abandon()
        self._shards += shards.count
        if shards.count == 0:
            folder.rmdir()

    def _ending(self, picture, last, where):
        """Bytes that are no image are kept as they are: the programs count and list them as damaged images."""
        ending = ending_of(picture.data)
        if ending is None:
            self.counts.unknown += 1
            self.counts.first_unknown = self.counts.first_unknown or where()
        return ending or last

    @staticmethod
    def _told(name, values):
        """What the source says beside image and label. Its columns are apart, so that none is taken for a label."""
        told = {"name": name} if name else {}
        if "class_name" in values:
            told["class_name"] = values.pop("class_name")
        # JSON has no NaN.
        columns = {key: value for key, value in values.items()
                   if value is not None and not (isinstance(value, float) and not math.isfinite(value))}
        if columns:
            told["columns"] = columns
        return json.dumps(told, ensure_ascii=False, default=str).encode("utf-8", "replace") if told else b""

    def _say(self):
        seconds = time.monotonic() - self._start
        return (f"{self._done:,} of {self._total:,} samples, {self._done / max(seconds, 1e-9):,.0f} a second, "
                f"{span(seconds / self._done * max(self._total - self._done, 0))} left")

    def report(self, out):
        counts = self.counts
        print(f"{out}: {counted(counts.images, 'image')} in {counted(self._shards, 'shard')}, {span(time.monotonic() - self._start)}")
        if counts.decoded:
            forms = [f"{form} ({counted(number, 'image')})"
                     for form, number in (("PNG", counts.decoded - counts.tiff), ("TIFF", counts.tiff)) if number]
            print(f"note: the source holds decoded pixels instead of image files; they were written as {' and '.join(forms)}")
        if counts.empty:
            print(f"note: left out: {counted(counts.empty, 'sample')} without an image")
        if counts.unlabelled:
            print(f"note: no label: {counted(counts.unlabelled, 'image')} (the source has none, or -1)")
        if counts.unknown:
            print(f"note: in no known format: {counted(counts.unknown, 'image')}, such as {counts.first_unknown}; the bytes are kept, "
                  "and will be reported as damaged")
