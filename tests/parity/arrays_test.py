"""NumPy's arrays and zip archives, as numpy, zipfile and shutil write them, sample by sample against what they read.

    arrays_test.py DUMP_DATASET
"""

import io
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
import zipfile

import numpy as np
from PIL import Image
from torchvision import datasets

from datasets_test import Ours, compare, random_image, rng


def images(n, rows, cols, channels=3):
    return rng.integers(0, 256, (n, rows, cols, channels)[:3 if channels == 0 else 4], np.uint8)


def samples(pixels, labels=None):
    """(PIL image, label, class), as a torch Dataset of these arrays has them."""
    labels = [-1] * len(pixels) if labels is None else np.ravel(labels).tolist()
    return [(Image.fromarray(image), label, None) for image, label in zip(pixels, labels)]


def refusal(ours, path, form="", channels=3):
    """What is said of data that are refused as a mistake."""
    done = subprocess.run([ours.program, path, "pretraining", str(channels), form], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2, f"{path}: exit code {done.returncode}: {done.stderr}"
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def medmnist(ours, root):
    """The files of MedMNIST v2 and MedMNIST+: <name>.npz, and with _64, _128 or _224 for larger images."""
    for name, size, channels, classes in (("pathmnist", 28, 3, 9), ("bloodmnist_64", 64, 3, 8), ("octmnist_128", 128, 0, 4), ("dermamnist_224", 224, 3, 7)):
        arrays = {}
        for split, n in ("train", 9), ("val", 4), ("test", 5):
            arrays[f"{split}_images"] = images(n, size, size, channels)
            arrays[f"{split}_labels"] = rng.integers(0, classes, (n, 1), np.uint8)
        for write in np.savez_compressed, np.savez:
            path = root / f"{name}.npz"
            write(path, **arrays)
            # Larger files are unpacked by hand, and their members mapped.
            folder = root / f"{name}_{write.__name__}"
            with zipfile.ZipFile(path) as archive:
                archive.extractall(folder)
            for place in path, folder:
                for split, prefix in ("pretraining", "train"), ("training", "train"), ("validation", "val"):
                    compare(f"{name}, {write.__name__}", ours, place, split,
                            samples(arrays[f"{prefix}_images"], arrays[f"{prefix}_labels"]), (1, 3))
    # ChestMNIST: 14 findings, any number of which an image has.
    findings = rng.integers(0, 2, (6, 14), np.int64)
    np.savez_compressed(root / "chestmnist.npz", train_images=images(6, 28, 28, 0), train_labels=findings)
    train = np.load(root / "chestmnist.npz")["train_images"]
    compare("chestmnist", ours, root / "chestmnist.npz", "pretraining", samples(train), (1, 3))


def names_and_kinds(ours, root):
    """The names that people choose, and labels of every kind."""
    path = root / "x.npz"
    pixels = images(6, 5, 7)
    labels = np.array([2, 0, 1, 1, 2, 0])
    for names in ("x_train", "y_train"), ("X_train", "Y_train"), ("images", "labels"), ("X", "y"), ("data", "target"), ("imgs", "lbls"):
        np.savez(path, **dict(zip(names, (pixels, labels))))
        compare(f"npz of {names[0]}", ours, path, "pretraining", samples(pixels, labels), (3,))
    np.savez(path, pixels, labels)  # arr_0 and arr_1
    compare("npz without names", ours, path, "pretraining", samples(pixels, labels), (1, 2, 3, 4))
    kinds = [labels.astype(dtype) for dtype in ("u1", "i1", "<u2", ">i2", "<i4", ">u4", "<i8", ">u8", "f4", "f8")]
    kinds += [labels[:, None], np.eye(3)[labels], np.eye(3, dtype=bool, order="F")[labels], np.asfortranarray(np.eye(3)[labels])]
    for kind in kinds:
        np.savez_compressed(path, images=pixels, labels=kind)
        compare(f"labels of {kind.dtype} {kind.shape}", ours, path, "pretraining", samples(pixels, labels), (3,))
    words = np.array(["dog", "ant", "écru"])
    for kind in words[labels], np.char.encode(words, "utf-8")[labels]:
        np.savez(path, images=pixels, labels=kind)
        number = {word: i for i, word in enumerate(sorted(words))}
        compare(f"labels of {kind.dtype}", ours, path, "pretraining",
                [(Image.fromarray(image), number[words[label]], words[label]) for image, label in zip(pixels, labels)], (3,))


def files(ours, root):
    """numpy.save's files, in each version of the format, alone and with labels beside them."""
    for version in (1, 0), (2, 0), (3, 0):
        for channels in 0, 1, 2, 3, 4:
            pixels = images(5, 6, 9, channels)
            with open(root / "cells.npy", "wb") as file:
                np.lib.format.write_array(file, pixels, version=version)
            squeezed = pixels[..., 0] if channels == 1 else pixels
            theirs = samples(squeezed)
            if channels == 2:
                theirs = [(Image.fromarray(image, "LA"), -1, None) for image in pixels]
            compare(f"npy {version} of {channels} channels", ours, root / "cells.npy", "pretraining", theirs)
    os.remove(root / "cells.npy")
    labels = {split: rng.integers(0, 3, n) for split, n in (("train", 7), ("val", 4))}
    pixels = {split: images(len(labels[split]), 4, 5) for split in labels}
    for image_name, label_name in ("X_{}", "y_{}"), ("{}_images", "{}_labels"), ("{}", "{}_labels"):
        folder = root / image_name.format("all")
        folder.mkdir()
        for split in labels:
            np.save(folder / image_name.format(split), pixels[split])
            np.save(folder / label_name.format(split), labels[split])
        for split, name in ("training", "train"), ("validation", "val"):
            compare(f"folder of {image_name}.npy", ours, folder, split, samples(pixels[name], labels[name]), (3,))


def wide_values(ours, root):
    """Images of 16 bits and float32, with up to 64 channels, against numpy's arithmetic."""
    for dtype, channels, (low, high), given in (("u2", 0, (0, 65535), ""), ("u2", 5, (0, 65535), ""), ("u2", 3, (100, 4095), "100:4095"),
                                                ("f4", 0, (0, 1), "0:1"), ("f4", 64, (-2, 3), "-2:3")):
        shape = (6, 5, 7) + (channels,) * (channels > 0)
        x = rng.integers(0, 65536, shape).astype(dtype) if dtype == "u2" else rng.normal(0, 2, shape).astype(dtype)
        labels = rng.integers(0, 3, (6, 1))
        np.save(root / "images.npy", x)
        np.save(root / "labels.npy", labels)
        np.savez(root / "a.npz", images=x, labels=labels)
        np.savez_compressed(root / "b.npz", images=x, labels=labels)
        theirs = np.clip((x.astype(np.float64) - low) / (high - low), 0, 1).reshape(6, 5, 7, -1)
        for path in root / "images.npy", root, root / "a.npz", root / "b.npz":
            form = "npy" if path == root else ""
            for wanted in (1, 3) if channels == 0 else (channels,):
                out = io.BytesIO(subprocess.run([ours.program, path, "pretraining", str(wanted), form, given], check=True, stdout=subprocess.PIPE).stdout)
                for i, (image, label) in enumerate(zip(theirs, labels[:, 0])):
                    assert out.readline().decode().split() == ["5", "7", str(wanted), str(label), str(label)], f"{path} {i}"
                    values = np.frombuffer(out.read(5 * 7 * wanted * 4), np.float32).reshape(5, 7, wanted)
                    apart = np.abs(values - image).max()
                    assert apart < 1e-6, f"{path} {i}: {dtype} with {channels} channels differs by {apart}"
                print(f"{path.name} of {dtype} with {channels} channels: 6 samples agree in {wanted} channels")
    os.remove(root / "labels.npy")
    assert "--range" in refusal(ours, root / "images.npy", "", 64)
    assert "64 channels" in refusal(ours, root / "images.npy")


def remedies(ours, root):
    """The commands in the messages make files that are read."""
    x = images(4, 9, 8)
    arrays = {"N x C x H x W": x.transpose(0, 3, 1, 2).copy(), "Fortran order": np.asfortranarray(x), "int64": x.astype(np.int64)}
    for what, array in arrays.items():
        np.save(root / "x.npy", array)
        np.savez(root / "x.npz", images=array, labels=np.arange(4))
        for name, made in ("x.npy", "converted.npy"), ("x.npz", "converted.npz"):
            command = re.search(r"convert it with: (.*)", refusal(ours, root / name)).group(1)
            assert command.startswith("python3 -c "), command
            subprocess.run(command.replace("python3", sys.executable, 1), shell=True, check=True, cwd=root)
            compare(f"{what}, {made}", ours, root / made, "pretraining", samples(x, np.arange(4) if "npz" in made else None), (3,))
            os.remove(root / made)
        os.remove(root / "x.npy")
    np.save(root / "x.npy", np.array([x[0], x[1, :3]], dtype=object))
    assert "never run" in refusal(ours, root / "x.npy")


def tree(folder, parts):
    """Images in folders of random names."""
    for i in range(30):
        path = folder.joinpath(*random.choices(parts, k=random.randint(1, 4)))
        path.mkdir(parents=True, exist_ok=True)
        random_image(3 + i % 4, 2 + i).save(path / f"{random.choice(parts)}{i}.PNG")


def of_folder(folder):
    theirs = datasets.ImageFolder(folder, loader=Image.open)
    return [(image, label, theirs.classes[label]) for image, label in theirs]


class Unseekable(io.RawIOBase):
    """A pipe: zipfile then writes sizes behind the contents."""

    def __init__(self, file):
        self.file = file

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)


class Cp437(zipfile.ZipInfo):
    """Names as programs for DOS and Windows write them."""

    def _encodeFilenameFlags(self):
        return self.filename.encode("cp437"), self.flag_bits & ~0x800


def archives(ours, root):
    """zipfile's archives in each form, against torchvision's ImageFolder of the folder that they hold."""
    parts = ["a", "b", "a-", "a b", "A", "é", "z.png", "0", "10", "2", "~", "ß"]
    for number in range(6):
        folder = root / f"tree{number}"
        tree(folder, parts)
        theirs = of_folder(folder)
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
        random.shuffle(names)
        for method in zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED:
            for form in "plain", "zip64", "pipe", "prefix", "comment", "cp437", "updated":
                path = root / f"{form}.zip"
                file = open(path, "wb")
                if form == "prefix":
                    file.write(b"#!/bin/sh\nexit 1\n" * 999)
                with zipfile.ZipFile(Unseekable(file) if form == "pipe" else file, "a" if form == "prefix" else "w", method) as archive:
                    for name in names:
                        if form == "updated" and (folder / name).is_file():  # what is replaced stays in the archive
                            archive.writestr(name, b"an earlier image")
                    for name in names:
                        content = folder / name
                        info = (Cp437 if form == "cp437" else zipfile.ZipInfo)(name + "/" * content.is_dir())
                        info.compress_type = method
                        if content.is_dir():
                            archive.writestr(info, b"")
                        else:
                            with archive.open(info, "w", force_zip64=form == "zip64") as entry:
                                entry.write(content.read_bytes())
                    if form == "comment":
                        archive.comment = b"PK\5\6 is what a comment may hold" * 50
                file.close()
                compare(f"zip, {form}, method {method}", ours, path, "pretraining", theirs, (3,))
        made = shutil.make_archive(str(root / f"shutil{number}"), "zip", folder)
        compare("zip of shutil", ours, made, "pretraining", theirs, (1, 3))


def wrapped_splits(ours, root):
    """As `zip -r pets.zip pets` leaves them; and with macOS's and Windows' additions."""
    for split in "train", "val":
        tree(root / "pets" / split, ["cat", "dog", "eel"])
    with zipfile.ZipFile(root / "pets.zip", "w") as archive:
        for path in sorted((root / "pets").rglob("*.PNG")):
            name = path.relative_to(root).as_posix()
            archive.write(path, name)
            archive.writestr(f"__MACOSX/{pathlib.PurePath(name).parent}/._{path.name}", b"\0\5\x16\7 what Finder knows")
    for split, name in ("pretraining", "train"), ("training", "train"), ("validation", "val"):
        compare("zip of a folder", ours, root / "pets.zip", split, of_folder(root / "pets" / name), (3,))
    with zipfile.ZipFile(root / "windows.zip", "w") as archive:
        for path in sorted((root / "pets" / "val").rglob("*.PNG")):
            info = zipfile.ZipInfo("x")
            info.filename = path.relative_to(root / "pets" / "val").as_posix().replace("/", "\\")
            info.create_system = 0
            archive.writestr(info, path.read_bytes())
    compare("zip of Windows", ours, root / "windows.zip", "pretraining", of_folder(root / "pets" / "val"), (3,))


def other_methods(ours, root):
    for method, name in (zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "LZMA"):
        with zipfile.ZipFile(root / "a.zip", "w", method) as archive:
            archive.writestr("cat/1.png", b"x" * 1000)
        said = refusal(ours, root / "a.zip")
        assert name in said and "'cat/1.png'" in said and "7z x" in said, said


def main():
    random.seed(0)
    warnings.simplefilter("ignore")  # zipfile tells of repeated names
    ours = Ours(sys.argv[1])
    for test in medmnist, names_and_kinds, files, wide_values, remedies, archives, wrapped_splits, other_methods:
        with tempfile.TemporaryDirectory() as root:
            test(ours, pathlib.Path(root))


main()
