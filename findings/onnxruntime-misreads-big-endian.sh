#!/bin/bash
# onnxruntime 1.32.0 takes the bytes of a big-endian NumPy array for little-endian ones, without an error: 1, 2, 3 become
# 4.6e-41 and the like, and as 16-bit pixels 256, 512, 768. tifffile 2026.3.3's memmap gives such arrays for big-endian TIFF
# files (ImageJ writes them), so that an exported encoder gives features of noise for these files alone. NumPy computes with
# such arrays as usual.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  onnxruntime==1.32.0 onnx==1.23.2 tifffile==2026.3.3 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import numpy as np
import onnx
import onnxruntime
import tifffile
from onnx import TensorProto, helper


def through_a_model(array, kind):
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "graph",
                              [helper.make_tensor_value_info("x", kind, array.shape)],
                              [helper.make_tensor_value_info("y", kind, array.shape)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": array})[0]


found = {}
for order in "<", ">":
    tifffile.imwrite("a.tif", np.array([[1, 2, 3]], np.uint16), byteorder=order)
    pixels = tifffile.memmap("a.tif", mode="r")
    assert pixels.ravel().tolist() == [1, 2, 3]
    found[order] = pixels.dtype.str, through_a_model(pixels, TensorProto.UINT16).ravel().tolist()
floats = through_a_model(np.array([1, 2, 3], ">f4"), TensorProto.FLOAT)
print("onnxruntime", onnxruntime.__version__, "onnx", onnx.__version__, "tifffile", tifffile.__version__,
      "1, 2, 3 of TIFF files through a model that changes nothing:", found, "as float:", floats)
assert found == {"<": ("<u2", [1, 2, 3]), ">": (">u2", [256, 512, 768])}
assert 0 < floats.max() < 1e-30
PYTHON
