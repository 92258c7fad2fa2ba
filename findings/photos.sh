#!/usr/bin/env bash
# Pillow 13.0.0 refuses a whole JPEG file that lacks nothing but its two bytes of end mark, and reads the same file if
# junk follows in their place.
#
# All pixels are in the file. Pillow feeds libjpeg from a suspending source, and libjpeg asks for some bytes more than
# the last pixels need, so "image file is truncated" is raised. With 60 zeros, or the words
# "the end ..." in the place of the end mark, the pixels come out, equal to those of the whole file.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0
"$folder/venv/bin/python" - <<'PYTHON'
import io
import PIL
from PIL import Image

out = io.BytesIO()
Image.radial_gradient("L").convert("RGB").save(out, "JPEG", quality=90)
whole = out.getvalue()


def read(file):
    try:
        return Image.open(io.BytesIO(file)).tobytes()
    except OSError as error:
        return str(error)


pixels = read(whole)
assert whole.endswith(b"\xff\xd9") and isinstance(pixels, bytes)
without = read(whole[:-2])
zeros, words = read(whole[:-2] + bytes(60)), read(whole[:-2] + b"the end" * 9)
print(f"Pillow {PIL.__version__}")
print(f"without the end mark: {without}")
print(f"zeros in its place: {'the same pixels' if zeros == pixels else 'other'}")
print(f"words in its place: {'the same pixels' if words == pixels else 'other'}")
assert PIL.__version__ == "13.0.0" and isinstance(without, str) and "truncated" in without
assert zeros == pixels and words == pixels
PYTHON
