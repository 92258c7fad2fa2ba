"""Writes ops_golden.txt: what Pillow and torchvision compute, for ops_test.cc to compare with.

    python make_ops_golden.py > ops_golden.txt      # torch 2.11.0, torchvision 0.26.0, Pillow 13

Each line: operation, its parameters, width, height, RGB bytes in hexadecimal. The first line is the image.
Lines that begin with "sum" are of larger images, by name, and end with a weighted sum of the bytes.
"""

import numpy as np
import PIL
import torch
import torchvision
import torchvision.transforms.functional as F
from PIL import Image, ImageFilter


def image():
    """Smooth colour, noise, and pure black, white, grey and primary pixels: 17 x 13."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0:13, 0:17]
    smooth = np.stack([x * 15, y * 19, (x + y) * 8], axis=2)
    pixels = np.clip(smooth + rng.integers(-40, 40, smooth.shape), 0, 255).astype(np.uint8)
    pixels[0, :7] = [[0, 0, 0], [255, 255, 255], [128, 128, 128], [255, 0, 0], [0, 255, 0],
                     [0, 0, 255], [1, 0, 0]]
    return Image.fromarray(pixels)


def line(name, parameters, im):
    print(name, *parameters, im.width, im.height, np.asarray(im).tobytes().hex())


def sum_line(source, name, parameters, im):
    pixels = np.asarray(im).reshape(-1).astype(np.uint64)
    total = (pixels * np.arange(pixels.size, dtype=np.uint64) * np.uint64(2654435761)).sum()  # of 2^64
    print("sum", source, name, *parameters, im.width, im.height, total)


def noise():
    """301 x 203."""
    i = np.arange(3 * 301 * 203, dtype=np.uint64)
    return Image.fromarray((i * np.uint64(2654435761) >> np.uint64(13)).astype(np.uint8).reshape(203, 301, 3))


def all_colours():
    """4096 x 4096 pixels; the n-th is the colour n, blue counting fastest."""
    n = np.arange(1 << 24, dtype=np.uint32)
    return Image.fromarray(np.stack([n >> 16, n >> 8, n], axis=1).astype(np.uint8).reshape(4096, 4096, 3))


def main():
    print(f"# torch {torch.__version__} torchvision {torchvision.__version__} Pillow {PIL.__version__}")
    im = image()
    line("image", [], im)
    for box, size in [((0, 0, 17, 13), (8, 8)), ((2, 1, 11, 9), (16, 16)), ((3, 4, 1, 1), (5, 5)),
                      ((0, 0, 17, 13), (17, 5)), ((0, 0, 17, 13), (3, 13)), ((5, 3, 8, 8), (8, 8)),
                      ((1, 0, 16, 12), (1, 1)), ((0, 0, 17, 13), (33, 40))]:
        x, y, w, h = box
        out = F.resized_crop(im, y, x, h, w, [size[1], size[0]], antialias=True)
        line("resized_crop", box, out)
    for factor in (0.0, 0.37, 0.6, 1.0, 1.4, 1.77):
        line("brightness", [factor], F.adjust_brightness(im, factor))
        line("contrast", [factor], F.adjust_contrast(im, factor))
        line("saturation", [factor], F.adjust_saturation(im, factor))
    for turn in (-0.5, -0.4, -0.1, -0.03, 0.0, 0.017, 0.1, 0.33, 0.5):
        line("hue", [turn], F.adjust_hue(im, turn))
    line("grayscale", [], F.rgb_to_grayscale(im, 3))
    for radius in (0.1, 0.3, 0.7, 1.0, 1.31, 2.0, 6.5):
        line("blur", [radius], im.filter(ImageFilter.GaussianBlur(radius)))
    line("flip", [], F.hflip(im))
    im = noise()
    for box, size in [((0, 0, 301, 203), (96, 96)), ((11, 7, 280, 190), (224, 224)), ((50, 40, 70, 90), (301, 70)),
                      ((50, 0, 90, 200), (70, 161)), ((50, 0, 90, 200), (70, 159)), ((0, 9, 280, 50), (99, 64))]:
        x, y, w, h = box
        sum_line("noise", "resized_crop", box, F.resized_crop(im, y, x, h, w, [size[1], size[0]], antialias=True))
    sum_line("noise", "brightness", [1.3], F.adjust_brightness(im, 1.3))
    sum_line("noise", "contrast", [1.3], F.adjust_contrast(im, 1.3))
    sum_line("noise", "grayscale", [], F.rgb_to_grayscale(im, 3))
    sum_line("noise", "blur", [1.7], im.filter(ImageFilter.GaussianBlur(1.7)))
    im = all_colours()
    for turn in (-0.37, 0.1):
        sum_line("all_colours", "hue", [turn], F.adjust_hue(im, turn))
    for factor in (0.6, 1.4):
        sum_line("all_colours", "saturation", [factor], F.adjust_saturation(im, factor))


main()
