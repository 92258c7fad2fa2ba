#!/bin/bash
# nibabel 5.4.2: an array that is saved with the header of another image is stored in that image's type. If its values do not
# fit, they are scaled without a warning, also if they are numbers of classes: with the header of a mask of 8 bits, the labels 0,
# 1, 2, 1000 come back as 0, 0, 3.9, 1000, so that class 1 is now background and class 2 has no number. Without the header,
# the labels stay as they are.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  nibabel==5.4.2 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" -W error - << 'PYTHON'
import nibabel as nib
import numpy as np

mask = nib.Nifti1Image(np.ones((4, 1, 1), np.uint8), np.eye(4))
found = {}
for kind in np.int16, np.float32:
    labels = np.array([0, 1, 2, 1000], kind).reshape(4, 1, 1)
    for name, header in ("header of a mask", mask.header), ("no header", None):
        nib.save(nib.Nifti1Image(labels, mask.affine, header), "labels.nii.gz")
        found[kind.__name__, name] = nib.load("labels.nii.gz").get_fdata().ravel().round(2).tolist()
print("nibabel", nib.__version__, found)
for kind in "int16", "float32":
    assert found[kind, "header of a mask"] == [0, 0, 3.92, 1000] and found[kind, "no header"] == [0, 1, 2, 1000]
PYTHON
