#!/bin/bash
# mosaicml-streaming 0.13.0: the encoding "jpeg" of an image that was opened from a file stores that file, whatever was
# done to the image in place since: after thumbnail((32, 32)) the data set holds the 256 x 256 original. A copy() of the
# same image is stored as it is.
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

Image.radial_gradient("L").save("a.jpg")
image = Image.open("a.jpg")
image.thumbnail((32, 32))
stored = mds.mds_decode("jpeg", mds.mds_encode("jpeg", image)).size
of_copy = mds.mds_decode("jpeg", mds.mds_encode("jpeg", image.copy())).size
print("mosaicml-streaming", importlib.metadata.version("mosaicml-streaming"), "given", image.size, "stored", stored, "of a copy", of_copy)
assert image.size == (32, 32) and stored == (256, 256) and of_copy == (32, 32)
PYTHON
