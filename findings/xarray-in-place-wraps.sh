#!/bin/bash
# xarray 2026.9.0: what is written into an array in place is saved in the packed integers of the file that it came from, and
# wraps around if it does not fit: of an image packed as int16 with a scale of 0.01, values times 10 that are written with
# ds["image"][:] = ... come back as -310.72 instead of 1,000, without a warning. The array in memory is right. If a new array
# is assigned with ds["image"] = ..., it is saved as float64, and all values come back. drop_encoding() before saving helps.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  xarray==2026.9.0 h5netcdf==1.8.2 h5py==3.16.0 numpy==2.4.6 pandas==3.1.1
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import warnings

import numpy as np
import xarray

warnings.simplefilter("error")
image = xarray.Dataset({"image": (("y", "x"), np.array([[0.0, 50.0, 100.0]]))})
image.to_netcdf("packed.nc", engine="h5netcdf", encoding={"image": {"dtype": "int16", "scale_factor": 0.01, "_FillValue": -32768}})


def saved(change, drop=False):
    data = xarray.load_dataset("packed.nc", engine="h5netcdf")
    change(data)
    assert data["image"].values.tolist() == [[0, 500, 1000]]
    (data.drop_encoding() if drop else data).to_netcdf("new.nc", engine="h5netcdf")
    return xarray.load_dataset("new.nc", engine="h5netcdf")["image"].values.round(2).ravel().tolist()


def in_place(data):
    data["image"][:] = data["image"].values * 10


def assign(data):
    data["image"] = data["image"] * 10


found = {"in place": saved(in_place), "assigned": saved(assign), "in place, drop_encoding()": saved(in_place, drop=True)}
print("xarray", xarray.__version__, "0, 500, 1,000 as they come back:", found)
assert found["assigned"] == found["in place, drop_encoding()"] == [0, 500, 1000]
assert found["in place"] == [0, -155.36, -310.72]
PYTHON
