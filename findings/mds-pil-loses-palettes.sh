#!/bin/bash
# mosaicml-streaming 0.13.0: the encoding "pil" of an image with a palette (such as a GIF, or many PNG files) stores the
# numbers of the palette's entries without the palette. A red image comes back black, of the same mode, without an error.
# Only the module of the encodings is loaded, so that the package's 20 requirements are not needed.
# Exits non-zero if the behaviour has changed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install numpy==2.1.3 pillow==13.0.0 typing_extensions==4.16.0
"$work/venv/bin/pip" --quiet --disable-pip-version-check install --no-deps mosaicml-streaming==0.13.0
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata
import importlib.util
import sysconfig

from PIL import Image

path = sysconfig.get_paths()["purelib"] + "/streaming/base/format/mds/encodings.py"
spec = importlib.util.spec_from_file_location("encodings_of_mds", path)
mds = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mds)

Image.new("RGB", (4, 4), (255, 0, 0)).convert("P", palette=Image.Palette.ADAPTIVE).save("a.png")
image = Image.open("a.png")
back = mds.mds_decode("pil", mds.mds_encode("pil", image))
before, after = (i.convert("RGB").getpixel((0, 0)) for i in (image, back))
print("mosaicml-streaming", importlib.metadata.version("mosaicml-streaming"), image.mode, before, "->", back.mode, after)
assert (image.mode, before) == ("P", (255, 0, 0)) and (back.mode, after) == ("P", (0, 0, 0))
PYTHON
