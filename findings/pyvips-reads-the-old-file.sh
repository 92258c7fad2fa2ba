#!/bin/bash
# pyvips 3.2.0 (libvips 8.18): a file that is read a second time in the same process has its old pixels and its old size, also
# if it was written anew in between, by pyvips itself or by another program: libvips caches each call of new_from_file by its
# arguments and does not look at the file's date. So a service that makes features, or a check after a correction, sees the
# picture of before. new_from_file(name, revalidate=True), and access="sequential", read the new one.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pyvips==3.2.0 pyvips-binary==8.18.7 numpy==2.4.6 pillow==13.0.0
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import numpy as np
import pyvips
from PIL import Image


def read(**options):
    image = pyvips.Image.new_from_file("a.png", **options)
    return image.width, int(image.numpy().max())


Image.fromarray(np.full((4, 4), 10, np.uint8)).save("a.png")
first = read()
Image.fromarray(np.full((4, 9), 200, np.uint8)).save("a.png")
second, sequential, revalidated, third = read(), read(access="sequential"), read(revalidate=True), read()
print("pyvips", importlib.metadata.version("pyvips"), pyvips.version(0), pyvips.version(1), "width, pixel:", first,
      "after the change:", second, 'access="sequential":', sequential, "revalidate=True:", revalidated)
assert first == second == (4, 10)
assert sequential == revalidated == third == (9, 200)
PYTHON
