"""Shards that webdataset's own writer writes, sample by sample against webdataset's own reader.

    shards_test.py DUMP_DATASET

What webdataset's reader cannot tell apart, keys with dots, is compared with what was written.
"""

import io
import pathlib
import sys
import tarfile
import tempfile

import numpy as np
import torch
import webdataset as wds

from datasets_test import Ours, compare, random_image


def write(path, samples, **options):
    with wds.TarWriter(str(path), **options) as writer:
        for sample in samples:
            writer.write(sample)


def read(path, image, label):
    """(image, label, class) of each sample, as webdataset finds them."""
    samples = wds.WebDataset(str(path), shardshuffle=False, empty_check=False).decode("pil")
    return [(sample[image], label(sample), None) for sample in samples]


def number(text):
    return int(text.strip("tensor()[] ").split(",")[0])


def texts_of_classes(ours, root):
    """str() of whatever was given as the class; webdataset's own decoder takes only plain numbers."""
    given = [3, np.int64(2), torch.tensor(1), torch.tensor([4]), [0], np.array([2]), "3", b"1", torch.tensor(2, dtype=torch.int32)]
    for image in "png", "jpg":
        path = root / f"{image}.tar"
        write(path, [{"__key__": f"{i:06}", image: random_image(9 + i, 8), "cls": label} for i, label in enumerate(given)])
        raw = wds.WebDataset(str(path), shardshuffle=False, empty_check=False)
        labels = [number(sample["cls"].decode()) for sample in raw]
        assert labels == [3, 2, 1, 4, 0, 2, 3, 1, 2], labels
        images = [sample[image] for sample in wds.WebDataset(str(path), shardshuffle=False, empty_check=False).decode("pil", only=[image])]
        compare(f"webdataset, {image}", ours, path, "pretraining", [(i, l, str(l)) for i, l in zip(images, labels)], (1, 3))


def several_images(ours, root):
    """The image without a second part, as webdataset's users ask for it."""
    path = root / "a.tar"
    write(path, [{"__key__": f"part.1/{i:06}", "jpg": random_image(8, 9 + i), "seg.png": random_image(8, 9 + i),
                  "cls": i % 3, "txt": "a caption"} for i in range(7)])
    compare("webdataset, several images", ours, path, "pretraining", read(path, "jpg", lambda s: s["cls"]), (3,))
    compare("webdataset, --image-key", ours, path, "pretraining", read(path, "seg.png", lambda s: s["cls"]), (3,),
            "tar:image_key=seg.png")


def json_labels(ours, root):
    path = root / "a.tar"
    write(path, [{"__key__": f"{i:06}", "png": random_image(8, 9 + i), "json": {"label": i % 4, "url": "x"}} for i in range(7)])
    compare("webdataset, json", ours, path, "pretraining", read(path, "png", lambda s: s["json"]["label"]), (3,))


def long_names_and_capitals(ours, root):
    """pax entries, and names that webdataset reads without regard to case."""
    for form in tarfile.PAX_FORMAT, tarfile.GNU_FORMAT:
        path = root / f"{form}.tar"
        with tarfile.open(path, "w", format=form) as tar:
            for i in range(5):
                png = io.BytesIO()
                random_image(5, 6 + i).save(png, "PNG")
                for ending, data in ("PNG", png.getvalue()), ("CLS", b"%d" % (i % 2)):
                    entry = tarfile.TarInfo(f"{'déjà-' * 40}{i}.{ending}")
                    entry.size = len(data)
                    tar.addfile(entry, io.BytesIO(data))
        compare("webdataset, long names", ours, path, "pretraining", read(path, "png", lambda s: s["cls"]), (3,))


def shards(ours, root):
    """ShardWriter's shards of two splits in one folder."""
    for split, n in ("train", 11), ("val", 5):
        with wds.ShardWriter(f"{root}/images-{split}-%04d.tar", maxcount=4, verbose=0) as writer:
            for i in range(n):
                writer.write({"__key__": f"{split}{i:03}", "png": random_image(5, 6 + i), "cls": i % 3})
    for split, name in ("training", "train"), ("validation", "val"):
        urls = sorted(str(path) for path in root.glob(f"images-{name}-*.tar"))
        compare("webdataset, shards", ours, root, split, read(urls[0], "png", lambda s: s["cls"])
                + [sample for url in urls[1:] for sample in read(url, "png", lambda s: s["cls"])], (3,))


def keys_with_dots(ours, root):
    path = root / "a.tar"
    images = [random_image(8, 9 + i) for i in range(5)]
    write(path, [{"__key__": f"img.v1.{i:04}", "png": image, "cls": i % 3} for i, image in enumerate(images)])
    compare("webdataset, dots in keys", ours, path, "pretraining", [(image, i % 3, None) for i, image in enumerate(images)], (3,))


def main():
    ours = Ours(sys.argv[1])
    for test in texts_of_classes, several_images, json_labels, long_names_and_capitals, shards, keys_with_dots:
        with tempfile.TemporaryDirectory() as root:
            test(ours, pathlib.Path(root))


main()
