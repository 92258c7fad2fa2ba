"""The decoder and every image operation against Pillow and torchvision, live, with the same parameters.

    images_test.py APPLY_OPS [FILE...]

On the JPEG and PNG files given, or else on images of this repository: the decoder's samples, the demo's photographs,
and mosaics of these. Each is also written in the other modes of JPEG and PNG, to be decoded. Everything must be equal
to the bit; where it is not, the largest and the mean difference say by how much.
"""

import collections
import io
import itertools
import pathlib
import random
import subprocess
import sys
import tarfile

import numpy as np
import torch
from PIL import Image, ImageFilter
from torchvision import transforms as T


class Ours:
    """The C++ side."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, file, *steps):
        self.process.stdin.write(f"{len(file)} {';'.join(steps)};\n".encode() + file)
        self.process.stdin.flush()
        rows, cols, width = map(int, self.process.stdout.readline().split())
        pixels = self.process.stdout.read(rows * cols * 3 * width)
        return np.frombuffer(pixels, {1: np.uint8, 4: np.float32}[width]).reshape(rows, cols, 3)


class Table:
    """The differences by what was compared."""

    def __init__(self):
        self.rows = collections.defaultdict(lambda: [0, 0.0, 0.0, 0])  # images, largest, sum, values

    def compare(self, what, ours, theirs):
        if isinstance(theirs, torch.Tensor):
            theirs = theirs.permute(1, 2, 0).numpy()
        theirs = np.asarray(theirs)
        if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
            sys.exit(f"{what}: {ours.shape} {ours.dtype} is not {theirs.shape} {theirs.dtype}")
        difference = np.abs(ours.astype(np.float64) - theirs)
        row = self.rows[what]
        row[0] += 1
        row[1] = max(row[1], difference.max())
        row[2] += difference.sum()
        row[3] += difference.size

    def report(self):
        different = []
        for what, (images, largest, total, values) in sorted(self.rows.items()):
            print(f"{what}: {images} compared, largest difference {largest:g}, mean {total / values:.2g}")
            if not largest == 0:
                different.append(what)
        if different or not self.rows:
            sys.exit(f"different: {', '.join(different) or 'nothing was compared'}")


def written(im, *args, **options):
    out = io.BytesIO()
    im.save(out, *args, **options)
    return out.getvalue()


def decode(ours, table, file):
    im = Image.open(io.BytesIO(file))
    what = f"decode {im.format} {im.mode}"
    if im.mode in ("I", "F"):  # they need a range; see codecs_test.py
        return
    pixels, theirs = ours(file), np.asarray(im.convert("RGB"))
    if im.mode == "I;16":  # Pillow's convert() clips these at 255
        theirs = np.repeat(np.asarray(im)[:, :, None].astype(np.float32) / np.float32(65535), 3, 2)
    elif pixels.dtype == np.float32:  # colours of 16 bits, of which Pillow keeps the upper 8
        what += ", 16 bits"
        upper = np.rint(pixels.astype(np.float64) * 65535) // 256
        pixels = (np.rint(pixels * 255) if im.format == "PPM" else upper).astype(np.uint8)  # PPM is scaled by Pillow
    table.compare(what, pixels, theirs)


def rgb(file):
    return Image.open(io.BytesIO(file)).convert("RGB")


def other_modes(im):
    """Files of the same picture."""
    for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
        yield written(im, "JPEG", quality=85, subsampling=subsampling)
    yield written(im, "JPEG", progressive=True)
    yield written(im.convert("L"), "JPEG")
    yield written(Image.merge("CMYK", (*im.split(), im.convert("L").point(lambda v: v // 2))), "JPEG")
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        yield written(im.convert(mode), "PNG", compress_level=1)
    yield written(Image.fromarray(np.asarray(im.convert("L")).astype(np.uint16) * 251), "PNG", compress_level=1)


def given(transform, *parameters):
    """A transform whose parameters are not drawn."""
    transform.get_params = lambda *_: parameters
    return transform


COLOURS = ("brightness", "contrast", "saturation", "hue")


def operations(ours, table, file, rng):
    im = rgb(file)
    for size in (32, 224):
        top, left, rows, cols = T.RandomResizedCrop.get_params(im, (0.08, 1.0), (3 / 4, 4 / 3))
        step = f"resized_crop {left} {top} {cols} {rows} {size} {size}"
        crop = given(T.RandomResizedCrop(size), top, left, rows, cols)(im)
        table.compare("random_resized_crop", ours(file, step), crop)
    for i, (colour, turn) in enumerate(zip(COLOURS, (0, 0, 0, 1))):
        amount = rng.uniform(-0.5, 0.5) if turn else rng.uniform(0, 2)
        factors = [amount if j == i else None for j in range(4)]
        table.compare(f"color_jitter, {colour}", ours(file, f"{colour} {amount!r}"),
                      given(T.ColorJitter(), [i], *factors)(im))
    for order in itertools.permutations(range(4)):
        factors = [*(rng.uniform(0.6, 1.4) for _ in range(3)), rng.uniform(-0.4, 0.4)]
        table.compare("color_jitter, all in every order",
                      ours(file, step, *(f"{COLOURS[i]} {factors[i]!r}" for i in order)),
                      given(T.ColorJitter(), order, *factors)(crop))
    for radius in (0.1, 2.0, rng.uniform(0.1, 2)):
        table.compare("gaussian_blur", ours(file, f"blur {radius!r}"), im.filter(ImageFilter.GaussianBlur(radius)))
    normalize = T.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    for what, spec, theirs in (
            ("grayscale", "grayscale:p=1", T.RandomGrayscale(1)),
            ("flip", "flip:p=1", T.RandomHorizontalFlip(1)),
            ("resize", "resize:size=256", T.Resize(256)),
            ("resize", "resize:size=24", T.Resize(24)),
            ("center_crop", "center_crop:size=29", T.CenterCrop(29)),
            ("center_crop", "center_crop:size=224", T.CenterCrop(224)),
            ("to_tensor", "to_tensor", T.ToTensor()),
            ("normalize", "to_tensor|normalize", T.Compose([T.ToTensor(), normalize])),
            ("evaluation's steps together", "resize:size=256|center_crop:size=224|to_tensor|normalize",
             T.Compose([T.Resize(256), T.CenterCrop(224), T.ToTensor(), normalize]))):
        table.compare(what, ours(file, spec), theirs(im))


def demo():
    """The files of the demo's photographs."""
    for shard in sorted(pathlib.Path("data/demo").glob("*/*.tar")):
        with tarfile.open(shard) as tar:
            yield from (tar.extractfile(member).read() for member in tar if member.isfile())


def mosaic(files):
    """A picture of 640 x 480 from 300 of 32 x 32."""
    whole = Image.new("RGB", (640, 480))
    for i, file in enumerate(files):
        whole.paste(rgb(file), (i % 20 * 32, i // 20 * 32))
    return written(whole, "JPEG", quality=90)


def main():
    ours, table, rng = Ours(sys.argv[1]), Table(), random.Random(1)
    torch.manual_seed(1)
    torch.set_num_threads(1)
    if len(sys.argv) > 2:
        pictures = files = [pathlib.Path(path).read_bytes() for path in sys.argv[2:]]
    else:
        photographs = list(demo())
        pictures = photographs[::60] + [mosaic(photographs[i:i + 300]) for i in (0, 3000)]
        # codecs_test.py compares arrays with NumPy; Pillow reads none.
        samples = sorted(path for path in pathlib.Path("data/testdata/samples").iterdir() if path.suffix != ".npy")
        files = photographs + [path.read_bytes() for path in samples]
    for file in files:
        decode(ours, table, file)
    for file in pictures:
        for other in other_modes(rgb(file)):
            decode(ours, table, other)
        operations(ours, table, file, rng)
    table.report()


if __name__ == "__main__":
    main()
