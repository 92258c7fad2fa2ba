"""The image operations on images of more than 8 bits and of 1 to 64 channels against torchvision.transforms.v2 on float
tensors, live, with the same parameters.

    float_images_test.py APPLY_OPS
"""

import collections
import math
import random
import subprocess
import sys

import numpy as np
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

sys.path.insert(0, "data/testdata")
import image_variants

BOUND = 1e-5
SHAPES = [(40, 61), (61, 40), (7, 5), (1, 1), (96, 96)]


class Ours:
    """The C++ side."""

    def __init__(self, program, channels):
        self.channels = channels
        self.process = subprocess.Popen([program, str(channels)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, file, *steps):
        self.process.stdin.write(f"{len(file)} {';'.join(steps)};\n".encode() + file)
        self.process.stdin.flush()
        rows, cols, width = map(int, self.process.stdout.readline().split())
        assert width == 4, width
        values = np.frombuffer(self.process.stdout.read(rows * cols * self.channels * 4), np.float32)
        return torch.tensor(values.reshape(rows, cols, self.channels)).permute(2, 0, 1)


def stored(rng, rows, cols, channels):
    """A TIFF file of 16 bits, and its values as torchvision scales them."""
    smooth = np.add.outer(np.arange(rows) * 900, np.arange(cols) * 700)[:, :, None] + np.arange(channels) * 5000
    values = (smooth + rng.integers(0, 20000, (rows, cols, channels))) % 65536
    extra = (0,) * (channels - 1) if channels not in (1, 3) else ()
    file = image_variants.tiff_file(values, 16, 2 if channels == 3 else 1, compression=8, extra=extra)
    return file, F.to_dtype(torch.tensor(values.astype(np.uint16)).permute(2, 0, 1), torch.float32, scale=True)


def cases(image, draw):
    """(what, our steps, torchvision's result)"""
    channels, rows, cols = image.shape
    yield "decode", (), image
    for size in 16, 48:
        height, width = draw.randint(1, rows), draw.randint(1, cols)
        top, left = draw.randint(0, rows - height), draw.randint(0, cols - width)
        yield ("random_resized_crop", (f"resized_crop {left} {top} {width} {height} {size} {size}",),
               F.resized_crop(image, top, left, height, width, [size, size], antialias=True))
        yield "resize", (f"resize:size={size}",), v2.Resize(size, antialias=True)(image)
        yield "center_crop", (f"center_crop:size={size}",), v2.CenterCrop(size)(image)
    yield "flip", ("flip:p=1",), F.horizontal_flip(image)
    yield "vertical_flip", ("vertical_flip:p=1",), F.vertical_flip(image)
    for turns in range(4):
        yield "rotate90", (f"rotate90 {turns}",), torch.rot90(image, turns, (1, 2))
    for threshold in 0.25, 0.5:
        yield "solarize", (f"solarize:p=1,threshold={threshold}",), F.solarize(image, threshold)
    for sigma in 0.1, 0.7, 2.0:
        half = [min(math.ceil(3 * sigma), size - 1) for size in (cols, rows)]
        blurred = F.gaussian_blur(image, [2 * h + 1 for h in half], [sigma, sigma])
        yield "gaussian_blur", (f"blur {sigma!r}",), blurred
    yield ("normalize", ("to_tensor|normalize:mean=0.3,std=0.2",), F.normalize(image, [0.3] * channels, [0.2] * channels))
    if channels == 3:
        amount = draw.uniform(0, 2)
        yield "brightness", (f"brightness {amount!r}",), F.adjust_brightness(image, amount)
        yield "contrast", (f"contrast {amount!r}",), F.adjust_contrast(image, amount)
        yield "saturation", (f"saturation {amount!r}",), F.adjust_saturation(image, amount)
        yield "hue", (f"hue {amount / 2 - 0.5!r}",), F.adjust_hue(image, amount / 2 - 0.5)
        yield "grayscale", ("grayscale:p=1",), F.rgb_to_grayscale(image, num_output_channels=3)


def main():
    torch.set_num_threads(1)
    random_values, draw = np.random.default_rng(1), random.Random(1)
    compared, largest = collections.Counter(), collections.defaultdict(float)
    for channels in 1, 3, 5, 64:
        ours = Ours(sys.argv[1], channels)
        for rows, cols in SHAPES:
            file, image = stored(random_values, rows, cols, channels)
            for what, steps, theirs in cases(image, draw):
                result = ours(file, *steps)
                assert result.shape == theirs.shape, f"{what}: {result.shape} is not {theirs.shape}"
                compared[what] += 1
                largest[what] = max(largest[what], (result - theirs).abs().max().item())
    for what, count in sorted(compared.items()):
        print(f"{what}: {count} compared, largest difference {largest[what]:.2g}")
    different = [what for what in compared if not largest[what] <= BOUND]
    assert not different, f"more than {BOUND} apart: {different}"


if __name__ == "__main__":
    main()
