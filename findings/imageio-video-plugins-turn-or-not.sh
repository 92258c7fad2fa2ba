#!/bin/bash
# imageio 2.38.1: a video that a phone recorded upright is read upright by the plugin FFMPEG (imageio-ffmpeg 0.8.1) and lying
# on its side by the plugin pyav (av 18.1.0), the newer one. imread takes FFMPEG if it is there and pyav if only that is:
# which one it is depends on the packages that are installed. OpenCV 4.12 turns the frames, too. So frames that two machines
# cut from one video differ by a quarter turn, and boxes that were drawn on those of the one do not fit those of the other.
# Nothing warns.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  imageio==2.38.1 imageio-ffmpeg==0.8.1 av==18.1.0 opencv-python-headless==4.12.0.88 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import subprocess

import av
import cv2
import imageio
import imageio.v3 as iio
import imageio_ffmpeg
import numpy as np

ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
iio.imwrite("a.mp4", np.zeros((10, 64, 128, 3), np.uint8), plugin="pyav", codec="libx264")
subprocess.run([ffmpeg, "-v", "error", "-display_rotation", "90", "-i", "a.mp4", "-c", "copy", "upright.mp4"], check=True)
found = {}
for name in "a.mp4", "upright.mp4":
    found[name] = {plugin: iio.imread(name, index=0, plugin=plugin).shape[:2] for plugin in ("FFMPEG", "pyav")}
    found[name]["OpenCV"] = cv2.VideoCapture(name).read()[1].shape[:2]
print("imageio", imageio.__version__, "PyAV", av.__version__, "OpenCV", cv2.__version__, "rows and columns of a frame:", found)
assert set(found["a.mp4"].values()) == {(64, 128)}
assert found["upright.mp4"] == {"FFMPEG": (128, 64), "pyav": (64, 128), "OpenCV": (128, 64)}
PYTHON
