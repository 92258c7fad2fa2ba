#!/bin/bash
# tensorboardX 2.6.5: add_image multiplies each image that is not uint8 by 255 and lets the product wrap around: a grey value of
# 100 in int64, int32 or uint16, as masks and averaged images have it, is shown as 156, white (255) as 1, and a float of 1.02,
# which interpolation gives, as 4, almost black, in the middle of white. uint8 is shown as it is. Nothing warns.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  tensorboardX==2.6.5 pillow==12.3.0 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import io

import numpy as np
import tensorboardX
from PIL import Image
from tensorboardX import summary


def shown(value, dtype):
    image = summary.image("a", np.full((3, 4, 4), value, dtype)).value[0].image.encoded_image_string
    return int(np.asarray(Image.open(io.BytesIO(image)))[0, 0, 0])


found = {f"{value} in {dtype}": shown(value, dtype) for value, dtype in (
    (100, "uint8"), (100, "int64"), (100, "int32"), (100, "uint16"), (255, "int64"), (1.0, "float32"), (1.02, "float32"),
    (-0.02, "float32"))}
print("tensorboardX", tensorboardX.__version__, "first pixel as it is shown:", found)
assert found == {"100 in uint8": 100, "100 in int64": 156, "100 in int32": 156, "100 in uint16": 156, "255 in int64": 1,
                 "1.0 in float32": 255, "1.02 in float32": 4, "-0.02 in float32": 251}
PYTHON
