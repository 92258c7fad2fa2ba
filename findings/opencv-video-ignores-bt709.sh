#!/bin/bash
# OpenCV 4.12: VideoCapture turns all videos into RGB as though they were made by the older standard BT.601, also those that are
# marked as BT.709, as HD video is: a red of (200, 50, 0) comes back as about (186, 36, 3). PyAV 18.1.0 follows the mark and gives
# (199, 48, 0). Of a video marked as BT.601, both give the same. So frames that one program took out and another reads at
# training time have different colours.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  opencv-python-headless==4.12.0.88 av==18.1.0 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import av
import cv2
import numpy as np

red = np.zeros((64, 64, 3), np.uint8)
red[:] = 200, 50, 0
found = {}
for name, space in ("BT.601", 5), ("BT.709", 1):
    with av.open("a.mp4", "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "1"}
        stream.codec_context.colorspace = space
        stream.codec_context.color_range = 1
        frame = av.VideoFrame.from_ndarray(red, format="rgb24").reformat(format="yuv420p", dst_colorspace=space, dst_color_range=1)
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    with av.open("a.mp4") as file:
        frame = next(file.decode(video=0))
        assert int(frame.colorspace) == space
        pixels = [frame.to_ndarray(format="rgb24")[32, 32]]
    pixels.append(cv2.VideoCapture("a.mp4").read()[1][32, 32, ::-1])
    found[name] = [[int(value) for value in pixel] for pixel in pixels]
print("PyAV", av.__version__, "OpenCV", cv2.__version__, "(200, 50, 0) as both read it:", found)


def error(pixel):
    return int(np.abs(np.array(pixel) - red[0, 0]).max())


assert error(found["BT.601"][0]) <= 3 and error(found["BT.601"][1]) <= 3 and error(found["BT.709"][0]) <= 3
assert error(found["BT.709"][1]) > 10
PYTHON
