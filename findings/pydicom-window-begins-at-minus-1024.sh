#!/bin/bash
# pydicom 3.0.2: apply_voi_lut and apply_windowing of a CT image give no grey values from 0 up: they stretch the window over the range of
# Hounsfield units that the file could have, so that black is -1024 and white 3071 for 12 bits with an intercept of -1024, whatever
# the window. The usual next step, division by the maximum and * 255 in uint8, makes negative values of all that is below a quarter
# of the window; as uint8 they wrap around, and black becomes a grey of 171. Without an intercept the range is 0 to 4095.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pydicom==3.0.2 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import numpy as np
import pydicom
from pydicom.pixels import apply_modality_lut, apply_voi_lut

stored = np.array([[0, 984, 1064, 1144, 4095]], np.uint16)


def window(intercept, center):
    data = pydicom.Dataset()
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsStored, data.PixelRepresentation = 12, 0
    data.RescaleSlope, data.RescaleIntercept = 1, intercept
    data.WindowCenter, data.WindowWidth = center, 160
    return apply_voi_lut(apply_modality_lut(stored, data), data)[0]


found = {intercept: window(intercept, intercept + 1064) for intercept in (0, -1024)}
grey = (found[-1024] / found[-1024].max() * 255).astype(np.int64).astype(np.uint8)
print("pydicom", pydicom.__version__, "soft-tissue window by intercept:", {key: value.round().tolist() for key, value in found.items()},
      "as uint8:", grey.tolist())
assert found[0].min() == 0 and found[0].max() == 4095 and found[-1024].min() == -1024 and found[-1024].max() == 3071
assert grey[0] == 171 and grey[-1] == 255
PYTHON
