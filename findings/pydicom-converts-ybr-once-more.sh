#!/bin/bash
# pydicom 3.0.2: pixel_array of a file with PhotometricInterpretation YBR_FULL gives RGB, but the data set still says YBR_FULL. So a
# program that converts as the data set says, as all had to with pydicom 2, converts twice: pure red, (254, 0, 0), becomes the green
# (75, 255, 27), without a warning. pixel_array(..., raw=True) of pydicom.pixels gives the stored values.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  pydicom==3.0.2 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import io

import numpy as np
import pydicom
from pydicom.pixels import convert_color_space, pixel_array

data = pydicom.Dataset()
data.file_meta = pydicom.dataset.FileMetaDataset()
data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
data.SOPClassUID, data.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
data.Rows = data.Columns = 2
data.SamplesPerPixel, data.PlanarConfiguration, data.PhotometricInterpretation = 3, 0, "YBR_FULL"
data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
data.PixelData = np.full((2, 2, 3), (76, 85, 255), np.uint8).tobytes()
file = io.BytesIO()
data.save_as(file, enforce_file_format=True)
data = pydicom.dcmread(io.BytesIO(file.getvalue()))
found = {"pixel_array": data.pixel_array, "raw=True": pixel_array(data, raw=True)}
for name in list(found):
    found[name + ", converted"] = convert_color_space(found[name], data.PhotometricInterpretation, "RGB")
found = {name: array[0, 0].tolist() for name, array in found.items()}
print("pydicom", pydicom.__version__, data.PhotometricInterpretation, "first pixel:", found)
assert data.PhotometricInterpretation == "YBR_FULL"
assert found["pixel_array"] == found["raw=True, converted"] == [254, 0, 0] and found["raw=True"] == [76, 85, 255]
assert found["pixel_array, converted"] == [75, 255, 27]
PYTHON
