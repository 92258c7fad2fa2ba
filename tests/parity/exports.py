"""Exported files in the programs that they are for: the features of torchvision's ResNet with the same weights.

    exports.py PRETRAIN EXPORT DEMO
"""

import pathlib
import pickle
import subprocess
import sys
import tempfile

import onnx
import onnxruntime
import safetensors.torch
import torch
from PIL import Image
from torchvision.transforms import functional

import bridge
import reference

BOUND = 1e-5  # of the norm: another order of sums in float32


def photographs(folder, size):
    images = [functional.resize(Image.open(file), size) for file in sorted(folder.glob("*/*.jpg"))]
    pixels = torch.stack([functional.to_tensor(image) for image in images])
    return functional.normalize(pixels, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def check(what, ours, expected):
    difference = float(torch.linalg.vector_norm(ours - expected) / torch.linalg.vector_norm(expected))
    print(f"{what}: features differ by {difference:.1e} of their norm", flush=True)
    if not difference <= BOUND:
        sys.exit("they differ")


def check_exports(work, pretrain, export, arch):
    # A few steps, so that the running statistics are no longer the initial ones.
    run = work / arch
    subprocess.run([pretrain, work / "images", f"--arch={arch}", "--epochs=1", "--batch-size=5", "--moco-k=10",
                    "--image-size=32", f"--run-dir={run}"], check=True, stdout=subprocess.DEVNULL)
    checkpoint = run / "checkpoints/checkpoint_0000.pth.tar"
    files = {to: run / to for to in ("torchvision", "safetensors", "detectron2", "onnx")}
    for to, file in files.items():
        subprocess.run([export, checkpoint, f"--to={to}", f"--out={file}", "--verify"], check=True)

    def network(state):
        [net] = reference.encoders(arch, "linear", count=1)
        net.eval().fc = torch.nn.Identity()
        net.load_state_dict(state)
        return net

    # From the checkpoint itself, with the names as main_lincls.py changes them.
    state = bridge.below("module.encoder_q.", torch.load(checkpoint, weights_only=True)["state_dict"])
    state = {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}
    images = {size: photographs(work / "images", size) for size in (32, 96)}
    expected = {size: network(state)(x) for size, x in images.items()}

    for to, loaded in (("torchvision", torch.load(files["torchvision"], weights_only=True)),
                       ("safetensors", safetensors.torch.load_file(files["safetensors"]))):
        check(f"{arch}, {to}", network(loaded)(images[32]), expected[32])

    onnx.checker.check_model(files["onnx"], full_check=True)
    model = onnx.load(files["onnx"])
    assert [opset.version for opset in model.opset_import] == [13]
    assert "BatchNormalization" in {node.op_type for node in model.graph.node}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(files["onnx"], options, providers=["CPUExecutionProvider"])
    for size, batch in ((32, 1), (32, 5), (96, 5)):
        [features] = session.run(["features"], {"images": images[size][:batch].numpy()})
        check(f"{arch}, onnx, {batch} of {size} pixels", torch.from_numpy(features), expected[size][:batch])

    # detectron2 is on no package index: what it would load, under the names that the official conversion gives.
    with open(files["detectron2"], "rb") as file:
        arrays = pickle.load(file)["model"]
    for name, tensor in state.items():
        theirs = name if name.startswith("layer") else f"stem.{name}"
        for n in (1, 2, 3, 4):
            theirs = theirs.replace(f"layer{n}", f"res{n + 1}").replace(f"bn{n}", f"conv{n}.norm")
        theirs = theirs.replace("downsample.0", "shortcut").replace("downsample.1", "shortcut.norm")
        assert torch.equal(torch.from_numpy(arrays.pop(theirs)), tensor), name
    assert not arrays, arrays.keys()


def main():
    pretrain, export, demo = sys.argv[1:]
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary, torch.inference_mode():
        work = pathlib.Path(temporary)
        bridge.unpack(pathlib.Path(demo), work / "images", 1)
        # Three convolutions in a block and pooling; groups; two convolutions and no pooling.
        for arch in ("resnet50", "resnext50_32x4d", "resnet_small"):
            check_exports(work, pretrain, export, arch)


if __name__ == "__main__":
    main()
