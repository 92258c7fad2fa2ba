#!/bin/bash
# pillow-heif 1.8.1: a picture of a phone (JPEG with orientation 6) that is saved as HEIC with exif=image.getexif() loses its
# rotation: the file does not turn the pixels, and on reading the orientation is set to 1, so that the picture lies on its side.
# With exif=image.info["exif"], the same Exif as bytes, or without exif=, it is stored upright.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install pillow==13.0.0 pillow-heif==1.8.1
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import pillow_heif
from PIL import Image, ImageOps

pillow_heif.register_heif_opener()
exif = Image.Exif()
exif[0x112] = 6
Image.radial_gradient("L").resize((64, 32)).save("a.jpg", exif=exif)
image = Image.open("a.jpg")
found = {}
for name, options in ("nothing", {}), ("bytes", {"exif": image.info["exif"]}), ("object", {"exif": image.getexif()}):
    image.save("a.heic", **options)
    with Image.open("a.heic") as back:
        found[name] = back.size, back.getexif().get(0x112), ImageOps.exif_transpose(back).size
print("pillow-heif", pillow_heif.__version__, "upright:", ImageOps.exif_transpose(image).size,
      "HEIC's size, orientation, size when turned, by exif=:", found)
assert ImageOps.exif_transpose(image).size == (32, 64)
assert found["bytes"] == ((32, 64), 1, (32, 64))
assert found["object"] == ((64, 32), 1, (64, 32))
print("without exif=:", found["nothing"])
assert found["nothing"] == ((32, 64), 1, (32, 64))
PYTHON
