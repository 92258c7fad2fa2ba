#!/bin/bash
# onnx 1.23.2: version_converter changes what a model computes, if it resizes: Resize of opset 10 places the samples
# "asymmetric", that of opset 11 has a new attribute for it whose default is "half_pixel", and the converter leaves it out. The
# enlarged image, or map of features, moves by a quarter of a pixel. checker finds nothing wrong. Softmax, whose default
# changed too, is converted rightly.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  onnx==1.23.2 onnxruntime==1.32.0 numpy==2.2.6
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper, version_converter


def convert_and_run(operator, opset, to, values, shape, *constants, **attributes):
    inputs = ["x"] + [f"c{i}" for i in range(len(constants))]
    graph = helper.make_graph([helper.make_node(operator, inputs, ["y"], **attributes)], "graph",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, values.shape)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
                              [numpy_helper.from_array(constant, f"c{i}") for i, constant in enumerate(constants)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    results = []
    for version in opset, to:
        converted = version_converter.convert_version(model, version) if version != opset else model
        onnx.checker.check_model(converted)
        session = onnxruntime.InferenceSession(converted.SerializeToString(), providers=["CPUExecutionProvider"])
        results.append(np.round(session.run(None, {"x": values})[0].ravel(), 4).tolist())
    return results


row = np.arange(4, dtype=np.float32).reshape(1, 1, 1, 4)
resize = convert_and_run("Resize", 10, 11, row, [1, 1, 1, 8], np.array([1, 1, 1, 2], np.float32), mode="linear")
softmax = convert_and_run("Softmax", 12, 13, row.reshape(1, 2, 2), [1, 2, 2])
print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__,
      "before and after conversion: Resize", resize, "Softmax", softmax)
assert resize == [[0, 0.5, 1, 1.5, 2, 2.5, 3, 3], [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]]
assert softmax[0] == softmax[1]
PYTHON
