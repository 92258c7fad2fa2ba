#!/bin/bash
# nibabel 5.4.2: what is done in place to the array of get_fdata() of a loaded image is not saved. The image itself then shows the
# change (every later get_fdata() gives the same array), but nib.save writes the file's old voxels: a face that was set to 0 in a
# head scan is still in the new file. If the image was made from an array of float64, the change is saved.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  nibabel==5.4.2 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import nibabel as nib
import numpy as np


def blacken(image):
    """Sets half of the voxels to 0; gives a column of voxels in memory, and from a file that the image was saved to."""
    image.get_fdata()[:2] = 0
    shown = image.get_fdata()[:, 0, 0].tolist()
    nib.save(image, "blackened.nii.gz")
    return shown, nib.load("blackened.nii.gz").get_fdata()[:, 0, 0].tolist()


nib.save(nib.Nifti1Image(np.full((4, 4, 4), 7, np.int16), np.eye(4)), "head.nii.gz")
found = {"loaded": blacken(nib.load("head.nii.gz")), "from an array": blacken(nib.Nifti1Image(np.full((4, 4, 4), 7.0), np.eye(4)))}
print("nibabel", nib.__version__, "in memory, and saved:", found)
assert found == {"loaded": ([0, 0, 7, 7], [7, 7, 7, 7]), "from an array": ([0, 0, 7, 7], [0, 0, 7, 7])}
PYTHON
