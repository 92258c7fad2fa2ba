"""Every form of data, sample by sample, against torchvision's own reader, or a few lines of numpy.

    datasets_test.py DUMP_DATASET PACK LABELS

torchvision has no reader of CIFAR's binary files, nor of the forms that are ours or WebDataset's; those are read by
numpy, Pillow, torch.load, csv and tarfile.
"""

import csv
import gzip
import io
import pathlib
import pickle
import random
import re
import struct
import subprocess
import sys
import tarfile
import tempfile

import numpy as np
import torch
from PIL import Image
from torchvision import datasets

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
rng = np.random.default_rng(0)


def random_image(rows, cols, channels=3):
    pixels = rng.integers(0, 256, (rows, cols, channels), np.uint8)
    return Image.fromarray(pixels if channels > 1 else pixels[:, :, 0])


def as_array(image):
    pixels = np.asarray(image)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


class Ours:
    """The C++ side: lists of (pixels, label, class)."""

    def __init__(self, program):
        self.program = program

    def __call__(self, path, split, channels, form="", values="", dtype=np.uint8):
        """`values`: --range. `dtype`: of the pixels, float32 for images of more than 8 bits."""
        out = io.BytesIO(subprocess.run([self.program, path, split, str(channels), form, values], check=True,
                                        stdout=subprocess.PIPE).stdout)
        samples = []
        for line in out:
            rows, cols, channels, label, name = line.decode().rstrip("\n").split(" ", 4)
            shape = int(rows), int(cols), int(channels)
            pixels = np.frombuffer(out.read(np.prod(shape) * np.dtype(dtype).itemsize), dtype).reshape(shape)
            samples.append((pixels, int(label), name))
        return samples


def compare(what, ours, path, split, theirs, channels=(1, 2, 3, 4), form=""):
    """`theirs`: (PIL image, label, name of the class, or None for none)."""
    theirs = list(theirs)
    for number in channels:
        mode = MODES[number]
        samples = ours(str(path), split, number, form)
        assert len(samples) == len(theirs), f"{what}: {len(samples)} samples, not {len(theirs)}"
        for i, ((pixels, label, name), (image, other_label, other_name)) in enumerate(zip(samples, theirs)):
            assert label == other_label, f"{what} {i}: label {label}, not {other_label}"
            assert other_name in (None, name), f"{what} {i}: class {name}, not {other_name}"
            assert np.array_equal(pixels, as_array(image.convert(mode))), f"{what} {i}: pixels in {mode}"
    print(f"{what}, {split}: {len(theirs)} samples are equal in {channels} channels")


def image_folder(ours, pack, root):
    for split in ("train", "val"):
        for i in range(12):
            folder = root / split / ["cat", "dog", "ant-eater", "ant"][i % 4]
            folder.mkdir(parents=True, exist_ok=True)
            image = random_image(5 + i, 17 - i, channels=1 + i % 4)
            if i % 3 == 0:
                image.convert("RGB").save(folder / f"{i}.jpg")
            else:
                image.save(folder / f"{i}.png")
    for split, name in (("training", "train"), ("validation", "val")):
        theirs = datasets.ImageFolder(root / name, loader=Image.open)
        theirs = [(image, label, theirs.classes[label]) for image, label in theirs]
        compare("image_folder", ours, root, split, theirs)
        subprocess.run([pack, root, root / f"{name}.pack", f"--split={split}"], check=True, stdout=subprocess.DEVNULL)
        (root / "packed").mkdir(exist_ok=True)
        (root / f"{name}.pack").rename(root / "packed" / f"{name}.pack")
        compare("packed", ours, root / "packed", split, theirs)


def order_of_folders(ours, root):
    """Trees of random names: the same images in the same order, each in the same class."""
    parts = ["a", "b", "a-", "a b", "A", "é", "z.png", "0", "10", "2", "~", "𝔘", "\uffee"]
    for tree in range(20):
        folder = root / str(tree)
        for i in range(40):
            path = folder.joinpath(*random.choices(parts, k=random.randint(1, 4)))
            path.mkdir(parents=True, exist_ok=True)
            random_image(1, 1 + i).save(path / f"{random.choice(parts)}{i}.PNG")
        theirs = datasets.ImageFolder(folder, loader=Image.open)
        compare("order of image_folder", ours, folder, "pretraining",
                [(image, label, theirs.classes[label]) for image, label in theirs], (1,))


def numbered(ours, root):
    """As the adaptation's Dataset reads it: by number, and the newly labelled images behind."""
    labels = {}
    for split, n in (("unlabeled", 30), ("train", 12), ("val", 11)):
        (root / split).mkdir()
        for i in range(n):
            random_image(6, 6).save(root / split / f"{i}.png")
        if split != "unlabeled":
            labels[split] = torch.tensor([random.randrange(800) for _ in range(n)])
            torch.save(labels[split], root / f"{split}_label_tensor.pt")
    read = lambda split, i: Image.open(root / split / f"{i}.png")
    train = [(read("train", i), labels["train"][i].item(), None) for i in range(12)]
    for request, chosen in (("01", [25, 3, 11]), ("02", [0, 29])):
        with open(root / f"request_{request}.csv", "w", newline="") as file:
            csv.writer(file).writerows([["filename"]] * (request == "01") + [[f"{i}.png"] for i in chosen])
        new = torch.tensor([random.randrange(800) for _ in chosen])
        torch.save(new, root / f"label_{request}.pt")
        train += [(read("unlabeled", i), label.item(), None) for i, label in zip(chosen, new)]
    compare("numbered_png", ours, root, "training", train)
    compare("numbered_png", ours, root, "validation", [(read("val", i), labels["val"][i].item(), None) for i in range(11)])
    compare("numbered_png", ours, root, "pretraining", [(read("unlabeled", i), -1, None) for i in range(30)])


def answers(labels, root):
    """The tensor that //tools:labels writes is read by torch.load, and what torch.save writes by it."""
    tensor = torch.tensor([random.randrange(800) for _ in range(7)])
    files = random.sample([f"{i}.png" for i in range(30)], len(tensor))
    lines = [[file, str(label)] for file, label in zip(files, tensor.tolist())]
    (root / "request_01.csv").write_text("filename\n" + "".join(f"{file}\n" for file in files))
    (root / "answers.csv").write_text("".join(",".join(line) + "\n" for line in random.sample(lines, len(lines))))
    run = lambda *args: subprocess.run([labels, root / "request_01.csv", *args], check=True, stdout=subprocess.DEVNULL)
    run(root / "answers.csv")
    ours = torch.load(root / "label_01.pt", weights_only=True)
    assert ours.dtype == torch.int64 and torch.equal(ours, tensor), f"labels: {ours}, not {tensor}"
    torch.save(tensor, root / "saved.pt")
    run(root / "saved.pt")
    with open(root / "saved.csv", newline="") as file:
        table = list(csv.reader(file))
    assert table == [["file", "label"]] + lines, f"labels: {table}, not {lines}"
    print("labels: a tensor and a table of 7 are equal")


def lists_and_shards(ours, root):
    theirs, shards = [], {}
    with open(root / "list.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label"])
        for i in range(9):
            image = random_image(4, 5 + i)
            name = f"{i}, a \"name\".png"
            image.save(root / name)
            writer.writerow([name, (7 * i) % 5])
            theirs.append((Image.open(root / name), (7 * i) % 5, str((7 * i) % 5)))
            shards.setdefault(i // 5, []).append((f"{i:06}", (root / name).read_bytes(), str((7 * i) % 5)))
    compare("file_list", ours, root / "list.csv", "pretraining", theirs)
    for shard, samples in shards.items():
        with tarfile.open(root / f"shard-{shard:03}.tar", "w") as tar:
            for key, png, label in samples:
                for ending, contents in (("cls", label.encode()), ("png", png)):
                    entry = tarfile.TarInfo(f"{key}.{ending}")
                    entry.size = len(contents)
                    tar.addfile(entry, io.BytesIO(contents))
    compare("tar", ours, root / "shard-{000..001}.tar", "pretraining", theirs)


def cifar(ours, root, classes):
    sizes = {f"data_batch_{i}.bin": 3 + i for i in range(1, 6)} if classes == 10 else {"train.bin": 7}
    test = "test_batch.bin" if classes == 10 else "test.bin"
    theirs = {"training": [], "validation": []}
    for name, n in {**sizes, test: 5}.items():
        labels = rng.integers(0, classes, n, np.uint8)
        pixels = rng.integers(0, 256, (n, 3, 32, 32), np.uint8)
        coarse = [labels[:, None] // 5] if classes == 100 else []
        (root / name).write_bytes(np.hstack(coarse + [labels[:, None], pixels.reshape(n, -1)]).tobytes())
        theirs["validation" if name == test else "training"] += [
            (Image.fromarray(image.transpose(1, 2, 0)), int(label), None) for image, label in zip(pixels, labels)]
    for split, samples in theirs.items():
        compare(f"cifar{classes}", ours, root, split, samples)


class Unchecked:
    """torchvision's data sets without the checksums of the real files."""

    def _check_integrity(self):
        return True


def python2_pickle(contents):
    """What cPickle of Python 2 wrote, as in the published files: keys, names and pixels are str. pickletools shows it."""
    def value(x):
        if isinstance(x, bytes):
            return b"U" + bytes([len(x)]) + x if len(x) < 256 else b"T" + struct.pack("<I", len(x)) + x
        if isinstance(x, int):
            return b"K" + bytes([x]) if x < 256 else b"M" + struct.pack("<H", x)
        if isinstance(x, list):
            return b"](" + b"".join(map(value, x)) + b"e"
        if isinstance(x, dict):
            return b"}(" + b"".join(value(key) + value(item) for key, item in x.items()) + b"u"
        rows, cols = x.shape
        return (b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01" + value(rows) + value(cols) +
                b"\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" +
                value(x.tobytes()) + b"tb")
    return b"\x80\x02" + value(contents) + b"."


def cifar_python(ours, root, classes):
    """The pickles, as published and as Python 3 writes them in each protocol, from the folder above."""
    folder = root / ("cifar-10-batches-py" if classes == 10 else "cifar-100-python")
    folder.mkdir()
    names = [f"class {i}".encode() for i in range(classes)]
    kinds = ["labels"] if classes == 10 else ["fine_labels", "coarse_labels"]
    sizes = {f"data_batch_{i}": 3 + i for i in range(1, 6)} if classes == 10 else {"train": 7}
    meta = {b"label_names": names, b"num_vis": 3072} if classes == 10 else {b"fine_label_names": names, b"coarse_label_names": names[:20]}
    files = {"batches.meta" if classes == 10 else "meta": meta}
    for name, n in {**sizes, "test_batch" if classes == 10 else "test": 5}.items():
        files[name] = {b"batch_label": b"batch", b"filenames": [b"a.png"] * n, b"data": rng.integers(0, 256, (n, 3072), np.uint8),
                       **{kind.encode(): rng.integers(0, classes if kind != "coarse_labels" else 20, n).tolist() for kind in kinds}}
    Theirs = type("Theirs", (Unchecked, datasets.CIFAR10 if classes == 10 else datasets.CIFAR100), {})
    Theirs.meta = {**Theirs.meta, "md5": None}
    decode = lambda x: ({decode(k): decode(v) for k, v in x.items()} if isinstance(x, dict) else
                        [decode(item) for item in x] if isinstance(x, list) else x.decode() if isinstance(x, bytes) else x)
    write = lambda dump: [(folder / name).write_bytes(dump(contents)) for name, contents in files.items()]
    read = lambda: {split: [(image, label, names[label].decode()) for image, label in Theirs(root, train=split == "training")]
                    for split in ("training", "validation")}
    write(python2_pickle)
    theirs = read()
    for way, dump in {
            "Python 2": python2_pickle, "protocol 2": lambda x: pickle.dumps(decode(x), 2),
            "protocol 2, numpy 1": lambda x: pickle.dumps(decode(x), 2).replace(b"numpy._core.", b"numpy.core."),
            "protocol 4": lambda x: pickle.dumps(decode(x), 4), "protocol 5": lambda x: pickle.dumps(decode(x), 5),
            # torchvision does not find keys of bytes.
            "keys of bytes": lambda x: pickle.dumps(x, 2), "keys of bytes, protocol 4": lambda x: pickle.dumps(x, 4)}.items():
        write(dump)
        if "keys" not in way:
            assert [label for samples in read().values() for _, label, _ in samples] == [label for samples in theirs.values() for _, label, _ in samples]
        for split, samples in theirs.items():
            compare(f"cifar{classes}, {way}", ours, root, split, samples, (3,))
        if classes == 100:
            coarse = [(image, label, None) for (image, _, _), label in zip(theirs["validation"], files["test"][b"coarse_labels"])]
            compare(f"cifar100, {way}, coarse", ours, root, "validation", coarse, (3,), "cifar100:labels=coarse")


def stl10(ours, root):
    folder = root / "stl10_binary"
    folder.mkdir()
    (folder / "class_names.txt").write_text("".join(f"class{i}\n" for i in range(10)))
    for split, n in (("train", 4), ("test", 3), ("unlabeled", 5)):
        rng.integers(0, 256, (n, 3, 96, 96), np.uint8).tofile(folder / f"{split}_X.bin")
        if split != "unlabeled":
            rng.integers(1, 11, n, np.uint8).tofile(folder / f"{split}_y.bin")
    Stl10 = type("Stl10", (Unchecked, datasets.STL10), {})
    (folder / "fold_indices.txt").write_text("")
    (root / "stl10_binary.tar.gz").write_bytes(b"what torchvision has fetched stays beside")
    for split, name in (("training", "train"), ("validation", "test"), ("pretraining", "unlabeled")):
        theirs = Stl10(root, split=name)
        names = getattr(theirs, "classes", None)
        for place in (folder, root):
            compare("stl10", ours, place, split,
                    [(image, int(label), names[label] if label >= 0 and names else None) for image, label in theirs])


def write_idx(folder, name, n, classes=10, first=0):
    images = rng.integers(0, 256, (n, 28, 28), np.uint8).tobytes()
    labels = rng.integers(first, classes, n, np.uint8).tobytes()
    (folder / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, n, 28, 28) + images)
    (folder / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, n) + labels)


def idx(ours, root):
    for kind in (datasets.MNIST, datasets.FashionMNIST, datasets.KMNIST):
        top = root / f"of {kind.__name__}"
        folder = top / kind.__name__ / "raw"
        folder.mkdir(parents=True)
        for name, n in (("train", 8), ("t10k", 6)):
            write_idx(folder, name, n)
        theirs = {split: [(image, label, str(label)) for image, label in kind(top, train=split == "training")] for split in ("training", "validation")}
        for packed in ("", " beside gzip", " in gzip"):
            for split, samples in theirs.items():
                for place in (folder, folder.parent, top):
                    compare(f"{kind.__name__}{packed}", ours, place, split, samples, (1, 3))
            for path in [path for path in folder.iterdir() if path.suffix != ".gz"]:
                path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
                if packed:
                    path.unlink()


def emnist(ours, root):
    folder = root / "EMNIST" / "raw"
    folder.mkdir(parents=True)
    for part, first, classes in (("letters", 1, 27), ("digits", 0, 10)):
        for split, n in (("train", 40), ("test", 9)):
            write_idx(folder, f"emnist-{part}-{split}", n, classes, first)
    Emnist = type("EMNIST", (Unchecked, datasets.EMNIST), {"_check_exists": lambda self: True})
    for part in ("letters", "digits"):
        for split in ("training", "validation"):
            theirs = [(image, label, None) for image, label in Emnist(root, split=part, train=split == "training")]
            compare(f"EMNIST {part}", ours, root, split, theirs, (1,), f"idx:part={part}")


def lists(ours, root):
    """Tables as other programs write them, against the csv module's DictReader."""
    for i in range(9):
        (root / f"photos/{i % 2}").mkdir(parents=True, exist_ok=True)
        random_image(5, 4 + i).save(root / f"photos/{i % 2}/p {i}.png")
    words = ["cat", "dog, old", "owl"]
    path = lambda i: f"photos/{i % 2}/p {i}.png"
    tables = {
        "Kaggle, a stem": (["image_id", "breed"], lambda i: [f"p {i}", words[i % 3]], {}, "utf-8"),
        "Roboflow": (["filename", "width", "height", "class"], lambda i: [f"p {i}.png", 4 + i, 5, words[i % 3]], {}, "utf-8-sig"),
        "pandas": (["", "path", "target"], lambda i: [i, path(i), i % 4], {}, "utf-8"),
        "Excel": (["Name", "Label"], lambda i: [path(i).replace("/", "\\"), words[i % 3]], {"delimiter": ";", "lineterminator": "\r\n"}, "utf-8-sig"),
        "Excel's Unicode": (["file", "category"], lambda i: ["./" + path(i), words[i % 3]], {"delimiter": "\t"}, "utf-16"),
        "absolute": (["filepath", "tags", "label"], lambda i: [root / path(i), "a\nb", i % 4], {"quoting": csv.QUOTE_ALL}, "utf-8"),
        "elsewhere": (["image", "label"], lambda i: ["/kaggle/input/x/" + path(i), f"tensor({i % 4})"], {}, "utf-8"),
        "floats of pandas": (["image", "label"], lambda i: [path(i), float(i % 4)], {}, "utf-8"),
    }
    for what, (header, row, options, encoding) in tables.items():
        with open(root / "list.csv", "w", newline="", encoding=encoding) as file:
            writer = csv.writer(file, **options)
            writer.writerow(header)
            writer.writerows(row(i) for i in range(9))
        with open(root / "list.csv", newline="", encoding=encoding) as file:
            labels = [list(line.values())[-1] for line in csv.DictReader(file, delimiter=options.get("delimiter", ","))]
        names = sorted(set(labels)) if labels[0] in words else None
        number = lambda label: names.index(label) if names else int(float(label.strip("tensor()")))
        theirs = [(Image.open(root / path(i)), number(label), label if names else str(number(label))) for i, label in enumerate(labels)]
        compare(f"file_list, {what}", ours, root / "list.csv", "pretraining", theirs, (3,))


def decoded_samples(ours, root):
    """The decoder's samples in every mode; codecs_test.py and images_test.py have those of more than 8 bits. A colour
    that a file calls transparent is compared by Pillow before it is brought to 8 bits, and greyed another way. A fourth
    sample that is not alpha (extra_0_rgb.tif) is a fourth channel here, and left out by Pillow."""
    wide = lambda path: path.suffix != ".bmp" and re.search("_16|float|int16|65535|extra_0", path.stem)
    for transparent, channels in (False, (1, 2, 3, 4)), (True, (1, 3)):
        theirs = []
        folder = root / str(transparent)
        folder.mkdir()
        for path in sorted(pathlib.Path("data/testdata/samples").iterdir()):
            if path.suffix == ".npy":
                continue  # codecs_test.py compares arrays with NumPy; Pillow reads none
            is_transparent = path.name.endswith("_transparent.png") and not path.name.startswith("palette")
            if not wide(path) and is_transparent == transparent:
                (folder / path.name).write_bytes(path.read_bytes())
                theirs.append((Image.open(path), -1, None))
        compare("decoder's samples", ours, folder, "pretraining", theirs, channels)


def main():
    random.seed(0)
    ours, pack, labels = Ours(sys.argv[1]), sys.argv[2], sys.argv[3]
    tests = [lambda root: image_folder(ours, pack, root), lambda root: order_of_folders(ours, root), lambda root: numbered(ours, root),
             lambda root: answers(labels, root), lambda root: lists_and_shards(ours, root), lambda root: lists(ours, root), lambda root: cifar(ours, root, 10),
             lambda root: cifar(ours, root, 100), lambda root: cifar_python(ours, root, 10), lambda root: cifar_python(ours, root, 100),
             lambda root: stl10(ours, root), lambda root: idx(ours, root), lambda root: emnist(ours, root),
             lambda root: decoded_samples(ours, root)]
    for test in tests:
        with tempfile.TemporaryDirectory() as root:
            test(pathlib.Path(root))


if __name__ == "__main__":
    main()
