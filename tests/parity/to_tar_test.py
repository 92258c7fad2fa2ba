"""//tools:to_tar on what the real packages write: the bytes of the images, and then labels, classes and pixels as MoCo++
reads them, sample by sample against what the packages themselves read.

    to_tar_test.py DUMP_DATASET TO_TAR
"""

import io
import json
import os
import pathlib
import pickle
import subprocess
import sys
import tarfile
import tempfile
import types

import lmdb
import numpy as np
import pyarrow
import pyarrow.parquet
import tifffile
import torch
from PIL import Image

# dill, which datasets names its caches with, pickles the modules of packages that do not lie where Python does.
PACKAGES = pathlib.Path(pyarrow.__file__).parents[1]
sys.real_prefix = str(PACKAGES.parent)
os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", HF_HOME=os.environ.get("TEST_TMPDIR", "/tmp") + "/hugging_face")

import datasets
import litdata
from datasets.table import embed_table_storage
from litdata.streaming.writer import BinaryWriter
from torchvision.datasets import LSUN

from datasets_test import Ours, compare, random_image


def mosaicml():
    """The writer and the reader of MosaicML's streaming, without what the packages around them import for the web."""
    folder = next(pathlib.Path(path) / "streaming" for path in sys.path if (pathlib.Path(path) / "streaming" / "base").is_dir())
    for name in ("streaming", "streaming.base", "streaming.base.format"):
        module = types.ModuleType(name)
        module.__path__ = [str(folder.parent / name.replace(".", "/"))]
        sys.modules[name] = module
    from streaming.base.format.mds.reader import MDSReader
    from streaming.base.format.mds.writer import MDSWriter
    return MDSWriter, MDSReader


def encoded(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def images(n, channels=(1, 2, 3, 4)):
    """Encoded images of several formats."""
    forms = [("PNG", channels), ("JPEG", [c for c in channels if c in (1, 3)]), ("WEBP", [c for c in channels if c > 2]),
             ("TIFF", channels), ("BMP", [c for c in channels if c in (1, 3)])]
    forms = [(form, kinds) for form, kinds in forms if kinds]
    return [encoded(random_image(5 + i, 11 + i % 3, forms[i % len(forms)][1][i % len(forms[i % len(forms)][1])]),
                    forms[i % len(forms)][0]) for i in range(n)]


def opened(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


class ToTar:
    def __init__(self, ours, program):
        self._ours, self._program = ours, program

    def run(self, *args):
        return subprocess.run([self._program, *args], capture_output=True, text=True)

    def __call__(self, what, source, splits, bytes_=None, *args):
        """`splits`: MoCo++'s name of a split to (image, label, name of the class) of its samples; `bytes_`: the files of all,
        in the order of the folders' names."""
        out = source.parent / (source.name + "-out")
        done = self.run(source, out, *args)
        assert done.returncode == 0, f"{what}: {done.stdout}{done.stderr}"
        if bytes_ is not None:
            assert self._images(out) == list(bytes_), f"{what}: the bytes differ"
            assert "PNG" not in done.stdout, done.stdout
        else:
            assert "written as PNG" in done.stdout, done.stdout
        for split, samples in splits.items():
            compare(what, self._ours, out, split, samples, (1, 3, 4))
        return out

    @staticmethod
    def _images(out):
        found = []
        for path in sorted(out.rglob("*.tar")):
            with tarfile.open(path) as tar:
                found += [tar.extractfile(entry).read() for entry in tar if not entry.name.endswith((".cls", ".json"))]
        return found

    def files(self, source):
        """The images that are written."""
        out = source.parent / (source.name + "-out")
        done = self.run(source, out)
        assert done.returncode == 0, done.stderr
        return self._images(out)

    def values(self, what, source, arrays):
        """The images that were written, as MoCo++ reads them, beside rows x columns x channels of more than 8 bits."""
        low, high = (0, 65535) if arrays[0].dtype == np.uint16 else (-50, 750)
        given = "" if arrays[0].dtype == np.uint16 else f"{low}:{high}"
        read = self._ours(str(source.parent / (source.name + "-out")), "pretraining", arrays[0].shape[2], "", given, np.float32)
        assert len(read) == len(arrays), f"{what}: {len(read)} images"
        for array, (pixels, _, _) in zip(arrays, read):
            expected = np.clip((array.astype(np.float64) - low) / (high - low), 0, 1)
            assert pixels.shape == array.shape and np.abs(pixels - expected).max() < 1e-6, what
        print(f"{what}: {len(arrays)} images have the same values")

    def refused(self, what, code, named, *args):
        done = self.run(*args)
        assert done.returncode == code and done.stderr.count("\n") == 1, f"{what}: {done.returncode}, {done.stderr}"
        assert all(name in done.stderr for name in named), f"{what}: {done.stderr}"
        assert not pathlib.Path(args[1]).exists()


def rows_of(data, names=None):
    return [(row["image"], row["label"], names and names[row["label"]]) for row in data]


def hugging_face(to_tar, root):
    names = ["zebra", "ant", "Cat"]
    features = datasets.Features({"id": datasets.Value("int64"), "image": datasets.Image(), "label": datasets.ClassLabel(names=names)})
    files = {"train": images(23), "validation": images(7)}
    (root / "files").mkdir()

    def make(split):
        places = []
        for i, data in enumerate(files[split]):
            places.append(str(root / "files" / f"{split}.{i}.bin"))
            pathlib.Path(places[-1]).write_bytes(data)
        return datasets.Dataset.from_dict({"id": [7 * i for i in range(len(places))], "image": places,
                                           "label": [(i + 2) % 3 for i in range(len(places))]}, features=features)

    both = datasets.DatasetDict({split: make(split) for split in files})
    every = files["train"] + files["validation"]

    # save_to_disk, and the same read back.
    both.save_to_disk(root / "saved", num_shards={"train": 3, "validation": 1})
    back = datasets.load_from_disk(root / "saved")
    splits = {"training": rows_of(back["train"], names), "validation": rows_of(back["validation"], names)}
    out = to_tar("datasets, save_to_disk", root / "saved", splits, every)
    with tarfile.open(out / "train" / "shard-000000.tar") as tar:
        told = json.load(tar.extractfile("000000004_train_4.json"))
    assert told == {"name": "train.4.bin", "class_name": "zebra", "columns": {"id": 28}}, told
    to_tar("datasets, save_to_disk of one", root / "saved" / "train", {"pretraining": splits["training"]}, files["train"])
    shuffled = both["train"].select([5, 3, 8])
    shuffled.save_to_disk(root / "chosen")
    to_tar("datasets, chosen rows", root / "chosen", {"pretraining": rows_of(shuffled, names)}, [files["train"][i] for i in (5, 3, 8)])

    # Parquet, as the hub has it: with the pictures, in several row groups.
    hub = root / "hub" / "data"
    hub.mkdir(parents=True)
    for split, data in both.items():
        table = embed_table_storage(data.with_format("arrow")[:])
        half = table.num_rows // 2
        for i, part in enumerate((table.slice(0, half), table.slice(half))):
            pyarrow.parquet.write_table(part, hub / f"{split}-{i:05}-of-00002.parquet", row_group_size=5, compression="zstd")
    back = datasets.load_dataset("parquet", data_files={split: str(hub / f"{split}-*") for split in files}, cache_dir=root / "cache")
    splits = {"training": rows_of(back["train"], names), "validation": rows_of(back["validation"], names)}
    to_tar("Parquet of the hub", root / "hub", splits, every)
    to_tar("Parquet, one file", hub / "train-00001-of-00002.parquet", {"pretraining": splits["training"][11:]}, files["train"][11:])
    # What load_dataset keeps in its cache.
    cached = next((root / "cache").rglob("parquet-train.arrow"))
    to_tar("Arrow of the cache", cached, {"pretraining": splits["training"]}, files["train"])

    # Dataset.to_parquet leaves the pictures where they are.
    both["train"].to_parquet(root / "paths.parquet")
    to_tar.refused("paths", 2, ["image", f"{root}/files/train.0.bin", "--files"], root / "paths.parquet", root / "none")
    to_tar("Parquet with paths", root / "paths.parquet", {"pretraining": splits["training"]}, files["train"], "--files=/")
    (root / "cut.parquet").write_bytes((hub / "train-00000-of-00002.parquet").read_bytes()[:-100])
    to_tar.refused("cut", 3, ["cut.parquet"], root / "cut.parquet", root / "none")
    whole = bytearray((hub / "train-00000-of-00002.parquet").read_bytes())
    whole[200:260] = bytes(60)
    (root / "changed.parquet").write_bytes(whole)
    to_tar.refused("changed", 3, ["changed.parquet"], root / "changed.parquet", root / "none")

    (root / "pointer.parquet").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    to_tar.refused("Git LFS", 3, ["git lfs pull"], root / "pointer.parquet", root / "none")
    whole = next((root / "saved" / "train").glob("*.arrow")).read_bytes()
    (root / "cut.arrow").write_bytes(whole[:-8])
    to_tar.refused("no end mark", 3, ["cut.arrow"], root / "cut.arrow", root / "none")

    # Other splits, and two data sets side by side.
    one = hub / "train-00000-of-00002.parquet"
    for place in "splits/train-00000-of-00001.parquet", "splits/extra-00000-of-00001.parquet", "sets/a/train.parquet", \
            "sets/b/train.parquet":
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_bytes(one.read_bytes())
    out = to_tar("Parquet, another split", root / "splits", {"training": splits["training"][:11]}, files["train"][:11] * 2)
    assert sorted(path.name for path in out.iterdir()) == ["extra", "train"]
    to_tar.refused("two data sets", 2, ["a, b"], root / "sets", root / "none")

    # Words, categories, and several columns.
    table = {"photo": files["train"], "kind": ["dog", "ant", None, "bee"] * 5 + ["ant"] * 3}
    typed = pyarrow.table({"photo": pyarrow.array(table["photo"], pyarrow.large_binary()),
                           "kind": pyarrow.array(table["kind"]).dictionary_encode(), "caption": ["a, b"] * 23})
    pyarrow.parquet.write_table(typed, root / "words.parquet")
    classes = ["ant", "bee", "dog"]
    expected = [(opened(data), classes.index(kind) if kind else -1, kind) for data, kind in zip(table["photo"], table["kind"])]
    to_tar("Parquet, words", root / "words.parquet", {"pretraining": expected}, files["train"], "--columns=photo,kind")
    two = pyarrow.table({"left": files["train"], "right": files["train"]})
    pyarrow.parquet.write_table(two, root / "two.parquet")
    to_tar.refused("two columns", 2, ["left", "right", "--columns"], root / "two.parquet", root / "none")


def columns(to_tar, root):
    """Parquet of other writers."""
    data = images(3, (3,))
    same = encoded(random_image(6, 7), "BMP")

    def write(name, **columns):
        pyarrow.parquet.write_table(pyarrow.table(columns), root / f"{name}.parquet")
        return root / f"{name}.parquet"

    labels = lambda *values: {"pretraining": [(opened(file), label, None) for file, label in zip(data, values)]}
    binary = pyarrow.array(data, pyarrow.binary_view())
    to_tar("Parquet, views", write("views", image=binary, label=pyarrow.array([2, 0, 1], pyarrow.uint8())), labels(2, 0, 1), data)
    to_tar("Parquet, one size", write("fixed", image=pyarrow.array([same] * 3, pyarrow.binary(len(same))), label=[True, False, True]),
           {"pretraining": [(opened(same), label, None) for label in (1, 0, 1)]}, [same] * 3)
    more = [{"bytes": file, "path": "a.jpg", "size": 3} for file in data]
    to_tar("Parquet, structs", write("structs", picture=more, target=[1.0, 0.0, 2.0], score=[float("nan")] * 3), labels(1, 0, 2), data)
    to_tar("Parquet, of WebDataset", write("wds", __key__=["a/1", "a/2", "a/3"], jpg=data, cls=[3, 4, 5]), labels(3, 4, 5), data)
    to_tar("Parquet, empty rows", write("empty", image=[data[0], None, data[2]], label=[None, 1, -1]),
           {"pretraining": [(opened(data[0]), -1, None), (opened(data[2]), -1, None)]}, [data[0], data[2]])
    to_tar("Parquet, several labels", write("lists", image=data, labels=[[0, 1], [2], []]), labels(-1, -1, -1), data)
    to_tar("Parquet, dots", write("dots", **{"a.image": data, "a.label": [0, 1, 2]}), labels(0, 1, 2), data)
    to_tar.refused("base64", 2, ["base64"], write("text", image=["iVBORw0KGgoAAAANSUhEUgAA"] * 3), root / "none")
    to_tar.refused("lists of images", 2, ["images"], write("many", images=[data] * 3), root / "none")
    to_tar.refused("no rows", 2, ["none.parquet"], write("none", image=pyarrow.array([], pyarrow.binary())), root / "out")


def arrays(to_tar, root):
    rng = np.random.default_rng(1)
    for name, feature, shape in [("rgb", datasets.Array3D((8, 9, 3), "uint8"), (8, 9, 3)),
                                 ("planes", datasets.Array3D((3, 8, 9), "uint8"), (3, 8, 9)),
                                 ("grey", datasets.Array2D((8, 9), "uint8"), (8, 9)),
                                 ("lists", datasets.List(datasets.List(datasets.List(datasets.Value("uint8")))), (7, 9, 4))]:
        pixels = [rng.integers(0, 256, shape, np.uint8) for _ in range(7)]
        data = datasets.Dataset.from_dict({"img": pixels, "y": [i % 2 for i in range(7)]},
                                          features=datasets.Features({"img": feature, "y": datasets.Value("int64")}))
        expected = [(Image.fromarray(p.transpose(1, 2, 0) if name == "planes" else p), i % 2, None) for i, p in enumerate(pixels)]
        data.save_to_disk(root / name)
        to_tar(f"datasets, arrays ({name})", root / name, {"pretraining": expected})
        data.to_parquet(root / f"{name}.parquet")
        to_tar(f"Parquet, arrays ({name})", root / f"{name}.parquet", {"pretraining": expected})
    # What PNG does not have, as TIFF, which MoCo++ reads with the same values.
    for dtype, shape in ("uint16", (8, 9, 5)), ("float32", (8, 9, 3)), ("float32", (13, 16, 17)), ("int16", (8, 9, 2)):
        pixels = [(100 * rng.standard_normal(shape) + 300).astype(dtype) for _ in range(5)]
        data = datasets.Dataset.from_dict({"img": pixels}, features=datasets.Features({"img": datasets.Array3D(shape, dtype)}))
        data.save_to_disk(root / f"{dtype}{shape[2]}")
        found = to_tar.files(root / f"{dtype}{shape[2]}")
        for given, file in zip(pixels, found, strict=True):
            read = tifffile.imread(io.BytesIO(file))
            assert read.dtype == dtype and np.array_equal(read, given.transpose(1, 2, 0) if shape[0] == 13 else given)
        to_tar.values(f"{dtype}, {shape}", root / f"{dtype}{shape[2]}",
                      [given.transpose(1, 2, 0) if shape[0] == 13 else given for given in pixels])
    data = datasets.Dataset.from_dict({"img": [np.zeros((8, 9, 3), np.float64)] * 3},
                                      features=datasets.Features({"img": datasets.Array3D((8, 9, 3), "float64")}))
    data.save_to_disk(root / "double")
    to_tar.refused("float64", 2, ["float64", "row 0"], root / "double", root / "none")


def mds(to_tar, root):
    MDSWriter, MDSReader = mosaicml()

    def written(folder, split=""):
        index = json.loads((folder / split / "index.json").read_text())
        for shard in index["shards"]:
            reader = MDSReader.from_json(str(folder), split, shard)
            for i in range(shard["samples"]):
                yield reader.decode_sample(reader.get_sample_data(i))

    # As its own converter of ImageNet writes it.
    files = {split: [encoded(random_image(6, 7 + i), "JPEG") for i in range(n)] for split, n in (("train", 17), ("val", 5))}
    for split, all_ in files.items():
        with MDSWriter(columns={"i": "int", "x": "jpeg", "y": "int"}, out=str(root / "mds" / split), size_limit=3000) as writer:
            for i, data in enumerate(all_):
                writer.write({"i": i, "x": data, "y": (3 * i) % 5})
    to_tar("MDS", root / "mds", {name: [(sample["x"], sample["y"], None) for sample in written(root / "mds", split)]
                                 for name, split in (("training", "train"), ("validation", "val"))}, files["train"] + files["val"])
    # Pixels of all modes that have a PNG file, with each compression.
    modes = ["1", "L", "LA", "RGB", "RGBA"]
    for compression in (None, "zstd", "zstd:7", "gz", "bz2", "br", "snappy"):
        folder = root / f"pil-{compression}"
        pictures = [random_image(6, 7 + i).convert(modes[i % len(modes)]) for i in range(12)]
        with MDSWriter(columns={"img": "pil", "label": "str"}, out=str(folder), compression=compression, hashes=["sha1"],
                       size_limit=1000) as writer:
            for i, image in enumerate(pictures):
                writer.write({"img": image, "label": ["cat", "ant"][i % 2]})
        to_tar(f"MDS, pil, {compression}", folder, {"pretraining": [
            (image, [1, 0][i % 2], ["cat", "ant"][i % 2]) for i, image in enumerate(pictures)]})
    rng = np.random.default_rng(2)
    for encoding, dtype, shape in [("ndarray", np.uint8, (6, 300, 3)), ("ndarray:uint8", np.uint8, (3, 6, 7)),
                                   ("ndarray:uint8:6,7", np.uint8, (6, 7))]:
        folder = root / encoding.replace(":", "-")
        with MDSWriter(columns={"x": encoding, "y": "uint8"}, out=str(folder)) as writer:
            for i in range(5):
                writer.write({"x": rng.integers(0, 256, shape).astype(dtype), "y": np.uint8(i)})
        to_tar(f"MDS, {encoding}", folder, {"pretraining": [
            (Image.fromarray(s["x"].transpose(1, 2, 0) if shape[0] == 3 else s["x"]), int(s["y"]), None) for s in written(folder)]})
    with MDSWriter(columns={"x": "pkl", "y": "int"}, out=str(root / "pkl")) as writer:
        writer.write({"x": [1], "y": 1})
    to_tar.refused("pickles", 2, ["pickle"], root / "pkl", root / "none")
    palette = random_image(6, 7).convert("P")
    with MDSWriter(columns={"x": "pil"}, out=str(root / "palette")) as writer:
        writer.write({"x": palette})
    to_tar.refused("palette", 2, ["palette"], root / "palette", root / "none")


def lit(to_tar, root):
    def write(name, samples, **options):
        writer = BinaryWriter(str(root / name), chunk_bytes=3000, **options)
        for i, sample in enumerate(samples):
            writer[i] = sample
        writer.done()
        writer.merge()
        return root / name

    (root / "files").mkdir()
    jpegs = [encoded(random_image(6, 7 + i), "JPEG") for i in range(15)]
    for i, data in enumerate(jpegs):
        (root / "files" / f"{i}.jpg").write_bytes(data)
    expected = [(opened(data), i % 3, None) for i, data in enumerate(jpegs)]
    files = [Image.open(root / "files" / f"{i}.jpg") for i in range(15)]
    to_tar("litdata, jpeg", write("jpeg", [{"index": i, "image": file, "class": i % 3} for i, file in enumerate(files)]),
           {"pretraining": expected}, jpegs)
    to_tar("litdata, bytes", write("bytes", [{"image": data, "label": i % 3} for i, data in enumerate(jpegs)]),
           {"pretraining": expected}, jpegs)
    nested = [{"image": {"bytes": data, "path": f"{i}.jpg"}, "label": i % 3} for i, data in enumerate(jpegs)]
    to_tar("litdata, rows of Hugging Face", write("nested", nested), {"pretraining": expected}, jpegs)
    to_tar("litdata, such rows with zstd", write("nested-zstd", nested, compression="zstd"), {"pretraining": expected}, jpegs)
    to_tar("litdata, image", write("image", [(litdata.types.Image(bytes=data), i % 3) for i, data in enumerate(jpegs)]),
           {"pretraining": expected}, jpegs)
    pictures = [random_image(6, 7 + i).convert(["L", "RGB", "RGBA"][i % 3]) for i in range(15)]
    expected = [(image, i % 3, None) for i, image in enumerate(pictures)]
    for options in {}, {"compression": "zstd"}, {"compression": "zstd:3", "compression_level": "chunk"}, \
            {"compression": "zstd", "compression_level": "sample"}, {"compression": "zstd", "compression_batch_size": 2}:
        name = "pil-" + "-".join(map(str, options.values()))
        to_tar(f"litdata, {name}", write(name, [(image, i % 3) for i, image in enumerate(pictures)], **options),
               {"pretraining": expected})
    for name in "pil-zstd", "pil-zstd-sample", "pil-zstd:3-chunk", "nested-zstd":
        chunk = sorted((root / name).glob("*.bin"))[-1]
        chunk.write_bytes(chunk.read_bytes()[:-20])
        to_tar.refused(f"damaged {name}", 3, [chunk.name], root / name, root / "none")
    rgb = [np.asarray(image.convert("RGB")) for image in pictures]
    expected = [(Image.fromarray(p), i % 3, None) for i, p in enumerate(rgb)]
    to_tar("litdata, arrays", write("numpy", [{"x": p, "y": i % 3} for i, p in enumerate(rgb)]), {"pretraining": expected})
    to_tar("litdata, tensors", write("tensor", [{"x": torch.from_numpy(p.transpose(2, 0, 1).copy()), "y": i % 3}
                                                for i, p in enumerate(rgb)]), {"pretraining": expected})
    # In two splits, by its own reader.
    for split in "train", "val":
        write(f"splits/{split}", [{"image": image, "label": i % 3} for i, image in enumerate(pictures)])
    back = litdata.StreamingDataset(str(root / "splits" / "val"), cache_dir=str(root / "cache"))
    to_tar("litdata, splits", root / "splits", {
        "training": [(image, i % 3, None) for i, image in enumerate(pictures)],
        "validation": [(back[i]["image"], back[i]["label"], None) for i in range(len(back))]})


def databases(to_tar, root):
    def write(name, entries, **options):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        with lmdb.open(str(root / name), map_size=1 << 24, **options) as database, database.begin(write=True) as transaction:
            for key, value in entries:
                transaction.put(key, value)
        return root / name

    # torchvision's LSUN.
    files = {}
    for split, n in ("train", 6), ("val", 3):
        for class_ in "church_outdoor", "bedroom":
            files[class_, split] = [encoded(random_image(6, 7 + i), "WEBP") for i in range(n)]
            write(f"lsun/{class_}_{split}_lmdb", [(b"%d%s" % (i, class_.encode()), data) for i, data in enumerate(files[class_, split])])
    classes = ["bedroom", "church_outdoor"]

    def of_torchvision(split):
        os.chdir(root)  # it writes caches there
        theirs = LSUN(str(root / "lsun"), classes=[f"{class_}_{split}" for class_ in classes])
        return [(image, label, classes[label]) for image, label in theirs]

    to_tar("LMDB, LSUN", root / "lsun", {"training": of_torchvision("train"), "validation": of_torchvision("val")},
           [data for split in ("train", "val") for class_ in classes for data in files[class_, split]])

    files = images(15)
    plain = [(opened(data), -1, None) for data in files]
    to_tar("LMDB, encoded", write("encoded", [(b"%05d.x" % i, data) for i, data in enumerate(files)]), {"pretraining": plain}, files)
    to_tar("LMDB, a file", write("one.lmdb", [(b"%d" % i, data) for i, data in enumerate(files)], subdir=False),
           {"pretraining": plain}, files)
    labelled = [(opened(data), i % 3, None) for i, data in enumerate(files)]
    for protocol in 2, 5:
        entries = [(b"%d" % i, pickle.dumps((data, i % 3), protocol)) for i, data in enumerate(files)]
        about = [(b"__len__", pickle.dumps(15)), (b"__keys__", pickle.dumps([b"%d" % i for i in range(15)]))]
        to_tar("LMDB, pickles", write(f"pickles-{protocol}", entries + about), {"pretraining": labelled}, files)
        backwards = [(b"__keys__", pickle.dumps([b"%d" % i for i in reversed(range(15))], protocol))]
        to_tar("LMDB, keys in another order", write(f"order-{protocol}", entries + backwards), {"pretraining": labelled[::-1]}, files[::-1])
    by_path = [(b"%s/%02d.JPEG" % (b"ab"[i % 2:i % 2 + 1], i), data) for i, data in enumerate(files)]
    order = sorted(range(15), key=lambda i: by_path[i][0])
    to_tar("LMDB, paths", write("paths", by_path), {"pretraining": [(opened(files[i]), i % 2, "ab"[i % 2]) for i in order]},
           [files[i] for i in order])

    class Runs:
        def __reduce__(self):
            return os.mkdir, (str(root / "ran"),)

    evil = write("evil", [(b"%d" % i, pickle.dumps((data, Runs()))) for i, data in enumerate(files)] +
                 [(b"__keys__", pickle.dumps(Runs()))])
    to_tar.refused("a pickle that runs something", 2, ["evil", "mkdir"], evil, root / "none")
    assert not (root / "ran").exists()
    # LMDB itself ends such a reader with a bus error.
    whole = (root / "encoded" / "data.mdb").read_bytes()
    (root / "cut.mdb").write_bytes(whole[:len(whole) // 2])
    to_tar.refused("cut", 3, ["cut.mdb"], root / "cut.mdb", root / "none")


def main():
    datasets.disable_progress_bars()
    to_tar = ToTar(Ours(pathlib.Path(sys.argv[1]).absolute()), pathlib.Path(sys.argv[2]).absolute())
    for test in hugging_face, columns, arrays, mds, lit, databases:
        with tempfile.TemporaryDirectory() as root:
            test(to_tar, pathlib.Path(root))
            os.chdir("/")


main()
