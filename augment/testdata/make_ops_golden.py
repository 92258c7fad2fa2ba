"""Writes ops_golden.txt: what Pillow and torchvision compute, for ops_test.cc to compare with.

    python make_ops_golden.py > ops_golden.txt      # torch 2.11.0, torchvision 0.26.0, Pillow 13

Each line: operation, its parameters, width, height, RGB bytes in hexadecimal. The first line is the image.
The last lines are of all 2^24 colours: operation, parameter, a weighted sum of the result's bytes.
"""

import numpy as np
import PIL
import torch
import torchvision
import torchvision.transforms.functional as F
from PIL import Image, ImageEnhance, ImageFilter


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


def weighted_sum(pixels):
    flat = np.asarray(pixels).reshape(-1).astype(np.uint64)
    return int((flat * (np.arange(flat.size, dtype=np.uint64) * np.uint64(2654435761))).sum())  # of 2^64


def all_colours():
    """4096 x 4096 pixels; the n-th is the colour n, blue counting fastest."""
    n = np.arange(1 << 24, dtype=np.uint32)
    return Image.fromarray(np.stack([n >> 16, n >> 8, n], axis=1).astype(np.uint8).reshape(4096, 4096, 3))


def turned(im, turn):
    """torchvision's adjust_hue."""
    h, s, v = im.convert("HSV").split()
    h = Image.fromarray(np.asarray(h) + np.array(int(turn * 255)).astype(np.uint8))
    return Image.merge("HSV", (h, s, v)).convert("RGB")


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
    for turn in (-0.37, 0.1):
        print("all_hue", turn, weighted_sum(turned(all_colours(), turn)))
    for factor in (0.6, 1.4):
        print("all_saturation", factor, weighted_sum(ImageEnhance.Color(all_colours()).enhance(factor)))


main()
