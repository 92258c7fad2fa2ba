#!/bin/bash
# imagecodecs 2026.3.6: level=100, the best quality of a scale to 100, is lossless in avif_encode, webp_encode and jpegxr_encode, and
# has errors in jpegxl_encode and jpeg2k_encode (of up to 3 of 255 for noise), although each of the five keeps all pixels if
# no level is given. In jpeg2k_encode, level=0 is lossless again. So asking for more than the default loses what the default keeps.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  imagecodecs==2026.3.6 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import imagecodecs
import numpy as np

image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def error(codec, **options):
    data = getattr(imagecodecs, f"{codec}_encode")(image, **options)
    return int(np.abs(getattr(imagecodecs, f"{codec}_decode")(data).astype(int) - image).max())


found = {codec: (error(codec), error(codec, level=100)) for codec in ("avif", "webp", "jpegxr", "jpegxl", "jpeg2k")}
print("imagecodecs", imagecodecs.__version__, "largest error without a level and with level=100:", found,
      "jpeg2k, level=0:", error("jpeg2k", level=0))
assert all(default == 0 for default, _ in found.values())
assert [best > 0 for _, best in found.values()] == [False, False, False, True, True] and error("jpeg2k", level=0) == 0
PYTHON
