#!/bin/bash
# imageio 2.38.1: the reader that imread chooses for DICOM gives bright pixels of an X-ray of 8 bits as negative numbers (200
# becomes -56), if the file has a rescale slope of 1 and an intercept of 0, as many have: it stores values up to 255 in int8. With
# 16 bits, values above 32,767 are negative. Without the two numbers, which change nothing here, the pixels are right. The
# reader is deprecated and still the default, also where pydicom is installed, which gives the pixels as they are.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  imageio==2.38.1 pydicom==3.0.2 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import os
import warnings

import imageio
import imageio.v3
import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset

warnings.simplefilter("ignore")
os.mkdir("data")  # imageio looks into all files below a DICOM file's folder
found = {}
for pixels in np.array([[100, 200]], np.uint8), np.array([[100, 40000]], np.uint16):
    for rescale in False, True:
        image = pydicom.Dataset()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        image.SOPClassUID = pydicom.uid.DigitalXRayImageStorageForPresentation
        image.SOPInstanceUID = image.SeriesInstanceUID = pydicom.uid.generate_uid()
        image.InstanceNumber = 1
        image.Rows, image.Columns = pixels.shape
        image.SamplesPerPixel, image.PhotometricInterpretation, image.PixelRepresentation = 1, "MONOCHROME2", 0
        image.BitsAllocated = image.BitsStored = pixels.dtype.itemsize * 8
        image.HighBit = image.BitsStored - 1
        if rescale:
            image.RescaleIntercept, image.RescaleSlope = 0, 1
        image.PixelData = pixels.tobytes()
        image.save_as("data/a.dcm", enforce_file_format=True)
        assert np.array_equal(pydicom.dcmread("data/a.dcm").pixel_array, pixels)
        read = imageio.v3.imread("data/a.dcm")
        found[pixels.dtype.name, rescale] = read.dtype.name, read.ravel().tolist()
print("imageio", imageio.__version__, "pydicom", pydicom.__version__,
      "100, 200 and 100, 40000 without and with rescaling by 1:", found)
assert found == {("uint8", False): ("uint8", [100, 200]), ("uint8", True): ("int8", [100, -56]),
                 ("uint16", False): ("uint16", [100, 40000]), ("uint16", True): ("int16", [100, -25536])}
PYTHON
