#!/bin/bash
# libheif-examples 1.15.1-1+deb12u1 of Debian 12: heif-convert turns a picture of a phone upright, and copies its Exif with
# the orientation as it was into the PNG or JPEG file. Programs that follow the orientation (Pillow's exif_transpose,
# Hugging Face datasets) turn the picture a second time: it lies on its side. pillow-heif sets the orientation to 1.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install pillow==13.0.0 pillow-heif==1.8.1
cd "$work"
apt-get -qq download libheif-examples=1.15.1-1+deb12u1 libheif1=1.15.1-1+deb12u1 libde265-0 libx265-199 libaom3 libdav1d6 \
  libnuma1 libjpeg62-turbo libpng16-16
for package in ./*.deb; do dpkg -x "$package" tools; done
"$work/venv/bin/python" -c '
import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()
exif = Image.Exif()
exif[0x112] = 6  # a phone held upright: the sensor saw 64 x 32 pixels
Image.radial_gradient("L").resize((64, 32)).convert("RGB").save("a.heic", exif=exif.tobytes())
'
for to in png jpg; do
  LD_LIBRARY_PATH=$(echo "$work"/tools/usr/lib/*-linux-gnu) tools/usr/bin/heif-convert a.heic "a.$to" > said.txt
done
"$work/venv/bin/python" - << 'PYTHON'
import pillow_heif
from PIL import Image, ImageOps

pillow_heif.register_heif_opener()
found = {}
for name in "a.heic", "a.png", "a.jpg":
    with Image.open(name) as image:
        found[name] = image.size, image.getexif().get(0x112), ImageOps.exif_transpose(image).size
print("size, orientation, size when turned:", found, "pillow-heif", pillow_heif.__version__)
assert b"irot" in open("a.heic", "rb").read()
assert found["a.heic"] == ((32, 64), 1, (32, 64))
assert found["a.png"] == found["a.jpg"] == ((32, 64), 6, (64, 32))
PYTHON
