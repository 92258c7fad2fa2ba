"""Exported files in the programs that they are for: the features of torchvision's ResNet with the same weights.

    exports.py PRETRAIN EXPORT DEMO
"""

import pathlib
import pickle
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
import safetensors.torch
import torch
import torchvision
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

    # The newest opset, from the run folder; images of bytes, normalised inside.
    subprocess.run([export, run, "--to=onnx", f"--out={run / 'bytes'}", "--opset=17", "--with-preprocessing", "--verify"],
                   check=True)
    onnx.checker.check_model(run / "bytes", full_check=True)
    session = onnxruntime.InferenceSession(run / "bytes", options, providers=["CPUExecutionProvider"])
    pixels = np.stack([np.asarray(functional.resize(Image.open(file), 32)) for file in sorted((work / "images").glob("*/*.jpg"))])
    [features] = session.run(["features"], {"images": pixels})
    check(f"{arch}, onnx from bytes", torch.from_numpy(features), expected[32])

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


def check_channels(work, export, channels):
    """What the file declares is what the network takes."""
    network = torchvision.models.resnet18()
    network.conv1 = torch.nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    network.eval().fc = torch.nn.Identity()
    file, out = work / f"{channels}.pth", work / f"{channels}.onnx"
    torch.save(network.state_dict(), file)
    subprocess.run([export, file, f"--arch=resnet18:channels={channels}", "--to=onnx", f"--out={out}"], check=True)
    onnx.checker.check_model(out, full_check=True)
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == ["batch", channels, "height", "width"], session.get_inputs()[0].shape
    x = torch.rand(3, channels, 50, 40)
    check(f"onnx, {channels} channels", torch.from_numpy(session.run(None, {"images": x.numpy()})[0]), network(x))


def check_classifier(work, export):
    network = torchvision.models.resnet18(num_classes=7).eval()
    file, out = work / "classifier.pth.tar", work / "classifier.onnx"
    torch.save({"epoch": 1, "arch": "resnet18", "optimizer": {},
                "state_dict": {f"module.{name}": tensor for name, tensor in network.state_dict().items()}}, file)
    subprocess.run([export, file, "--to=onnx", f"--out={out}", "--verify"], check=True)
    onnx.checker.check_model(out, full_check=True)
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    x = torch.rand(3, 3, 50, 40)
    check("onnx, a classifier", torch.from_numpy(session.run(["logits"], {"images": x.numpy()})[0]), network(x))


def main():
    pretrain, export, demo = sys.argv[1:]
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary, torch.inference_mode():
        work = pathlib.Path(temporary)
        bridge.unpack(pathlib.Path(demo), work / "images", 1)
        # Three convolutions in a block and pooling; groups; two convolutions and no pooling.
        for arch in ("resnet50", "resnext50_32x4d", "resnet_small"):
            check_exports(work, pretrain, export, arch)
        for channels in (1, 4):
            check_channels(work, export, channels)
        check_classifier(work, export)


if __name__ == "__main__":
    main()
