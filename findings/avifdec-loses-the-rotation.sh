#!/bin/bash
# libavif-bin 0.11.1-1+deb12u1 of Debian 12: avifdec neither turns a picture as its AVIF file says nor writes the
# orientation into the PNG file, so that nothing can turn it later. It reports the rotation and success. Pillow 13.0.0 gives
# the same pixels with an orientation, which ImageOps.exif_transpose follows.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install pillow==13.0.0
cd "$work"
apt-get -qq download libavif-bin=0.11.1-1+deb12u1 libavif15=0.11.1-1+deb12u1 libaom3 libdav1d6 libgav1-1 librav1e0 \
  libsvtav1enc1 libyuv0 libabsl20220623 libjpeg62-turbo libpng16-16
for package in ./*.deb; do dpkg -x "$package" tools; done
"$work/venv/bin/python" -c '
from PIL import Image

exif = Image.Exif()
exif[0x112] = 6  # a phone held upright: the sensor saw 64 x 32 pixels
Image.radial_gradient("L").resize((64, 32)).convert("RGB").save("a.avif", exif=exif)
'
LD_LIBRARY_PATH=$(echo "$work"/tools/usr/lib/*-linux-gnu) tools/usr/bin/avifdec a.avif a.png > said.txt
grep -a irot said.txt
"$work/venv/bin/python" - << 'PYTHON'
from PIL import Image, ImageOps

found = {}
for name in "a.avif", "a.png":
    with Image.open(name) as image:
        found[name] = image.size, image.getexif().get(0x112), ImageOps.exif_transpose(image).size
print("Pillow", Image.__version__, "size, orientation, size when turned:", found)
assert found["a.avif"] == ((64, 32), 6, (32, 64))
assert found["a.png"] == ((64, 32), None, (64, 32))
PYTHON
