"""A run's export in the programs that people load networks with: timm, transformers and segmentation-models-pytorch.

    models_test.py PRETRAIN LINCLS FEATURES EXPORT INSPECT DEMO

Features are compared with those of //lincls:features, so that the preprocessing is compared, too. Then files that are
no such network, or of another form, by the programs that write them.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.update(HF_HUB_OFFLINE="1", HF_HOME=os.environ.get("TEST_TMPDIR", "/tmp") + "/hugging_face")

import numpy as np
import safetensors.torch
import segmentation_models_pytorch as smp
import timm
import torch
import torch.distributed.checkpoint as dcp
import torch.distributed.checkpoint.format_utils
import torchvision
import transformers
from PIL import Image

import bridge
import exports

ARCH, SIZE = "resnet18", 48
# The middle is cropped, of an image that is neither square nor in the size of the shorter side.
VIEWS = f"resize:size=55|center_crop:size={SIZE}|to_tensor|normalize:mean=0.48 0.45 0.4,std=0.23 0.22 0.25"


def run(program, *words):
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{program} {' '.join(map(str, words))} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def refused(program, code, texts, *words):
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True)
    line = done.stderr.strip()
    print(f"refused: {line}", flush=True)
    assert done.returncode == code, (words, done.returncode, line)
    assert line.startswith("error: ") and "\n" not in line, line
    for text in texts:
        assert text in line, (text, line)


def images_of_folder(folder):
    return [Image.open(file).convert("RGB") for file in sorted(folder.glob("*/*.jpg"))]


def photographs(demo, folder):
    """Images that are not square."""
    bridge.unpack(demo, folder, 2)
    for i, file in enumerate(sorted(folder.glob("*/*.jpg"))):
        Image.open(file).resize((60 + 7 * (i % 5), 80 - 3 * (i % 7))).save(file, quality=95)
    return images_of_folder(folder)


def run_folder(work, programs, demo):
    """A run with its export, in both programs."""
    folder, out = work / "run", work / "encoder"
    images = photographs(demo, work / "images")
    run(programs["pretrain"], work / "images", f"--arch={ARCH}", "--epochs=1", "--batch-size=5", "--moco-k=10",
        f"--image-size={SIZE}", f"--eval-views={VIEWS}", f"--run-dir={folder}", "--knn-every=0")
    print(run(programs["export"], folder, "--to=timm", f"--out={out}", "--verify"), end="")
    run(programs["features"], work / "images", f"--pretrained={folder}", "--threads=1", f"--out={work / 'ours'}")
    expected = torch.from_numpy(np.load(work / "ours/backbone.npy"))

    model = timm.create_model(f"local-dir:{out}", pretrained=True).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    pixels = torch.stack([transform(image) for image in images])
    assert pixels.shape[1:] == (3, SIZE, SIZE), pixels.shape
    exports.check("timm", model(pixels), expected)
    assert model.num_features == expected.shape[1] and model.num_classes == 0

    processor = transformers.AutoImageProcessor.from_pretrained(out)
    theirs = processor(images, return_tensors="pt")["pixel_values"]
    assert torch.equal(theirs, pixels), "the preprocessing of transformers"
    other = transformers.AutoModel.from_pretrained(out).eval()
    exports.check("transformers", other(pixel_values=theirs).pooler_output.flatten(1), expected)

    # What timm itself would write has the same keys, if it has them at all.
    config = json.loads((out / "config.json").read_text())
    timm.models.save_for_hf(model, work / "by_timm", model_config={"num_classes": 0})
    by_timm = json.loads((work / "by_timm/config.json").read_text())
    for key in ("architecture", "num_classes", "num_features"):
        assert config[key] == by_timm[key], key
    for key in ("input_size", "interpolation", "mean", "std", "first_conv", "classifier"):
        assert config["pretrained_cfg"][key] == by_timm["pretrained_cfg"][key], key
    card = (out / "README.md").read_text()
    for text in ("library_name: timm", "- seed: `0`", "- epochs: `1`", "local-dir:"):
        assert text in card, (text, card)

    # segmentation-models-pytorch takes torchvision's state dict.
    run(programs["export"], folder, "--to=torchvision", f"--out={work / 'encoder.pth'}")
    unet = smp.Unet(ARCH, encoder_weights=None, classes=3).eval()
    unet.encoder.load_state_dict(torch.load(work / "encoder.pth", weights_only=True))
    exports.check("segmentation-models-pytorch", unet.encoder(pixels)[-1].mean((2, 3)), expected)
    assert unet(pixels[:, :, :32, :32]).shape[1:] == (3, 32, 32)
    return folder


def classifier(work, programs, demo, pretrained):
    folder, out = work / "linear", work / "classifier"
    run(programs["lincls"], demo, f"--pretrained={pretrained}", "--epochs=1", "--threads=2", f"--run-dir={folder}",
        "--label-fraction=0.1")
    print(run(programs["export"], folder, "--to=timm", f"--out={out}", "--verify"), end="")
    state = torch.load(folder / "checkpoints/model_best.pth.tar", weights_only=True)["state_dict"]
    network = torchvision.models.resnet18(num_classes=10).eval()
    network.load_state_dict(bridge.below("module.", state))
    images = images_of_folder(work / "images")
    model = timm.create_model(f"local-dir:{out}", pretrained=True).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    pixels = torch.stack([transform(image) for image in images])
    exports.check("timm, a classifier", model(pixels), network(pixels))
    names = list(model.pretrained_cfg["label_names"])
    assert names[0] == "airplane" and len(names) == 10, names
    other = transformers.AutoModelForImageClassification.from_pretrained(out).eval()
    exports.check("transformers, a classifier", other(pixel_values=pixels).logits, network(pixels))
    assert [other.config.id2label[i] for i in range(10)] == names, other.config.id2label

    run(programs["export"], folder, "--to=torchvision", f"--out={work / 'classifier.pth'}")
    again = torchvision.models.resnet18(num_classes=10).eval()
    again.load_state_dict(torch.load(work / "classifier.pth", weights_only=True))
    assert torch.equal(again(pixels), network(pixels))
    assert (work / "classifier.pth.classes.txt").read_text().split() == names


def lively(network, channels=3):
    network.train()
    for _ in range(2):
        network(torch.randn(4, channels, 48, 48))
    return network.eval()


def page(work, programs, pretrained):
    """Runs the Python code of docs/export.md, as far as the packages are there (detectron2 is on no package index)."""
    for to, name in (("timm", "encoder"), ("torchvision", "encoder.pth"), ("onnx", "encoder.onnx")):
        if not (work / name).exists():
            run(programs["export"], pretrained, f"--to={to}", f"--out={work / name}")
    images_of_folder(work / "images")[0].save(work / "image.jpg")
    text = pathlib.Path("docs/export.md").read_text()
    blocks = [block.split("```")[0] for block in text.split("```python\n")[1:]]
    runnable = [block for block in blocks if "detectron2" not in block]
    assert len(runnable) == 6 and len(blocks) == 7, len(blocks)
    here = pathlib.Path.cwd()
    os.chdir(work)
    found = {}
    with torch.enable_grad():
        for block in runnable:
            print(block.strip().splitlines()[-1], flush=True)
            exec(compile(block, "docs/export.md", "exec"), found)
    os.chdir(here)
    assert set(found["losses"]) >= {"loss_classifier", "loss_box_reg"}, found["losses"]
    assert found["masks"].shape == (2, 2, 64, 96) and found["features"].shape == (2, 512)


def channels(work, programs, count):
    """Networks of other channels: timm must take their first convolution as it is."""
    network = torchvision.models.resnet34()
    network.conv1 = torch.nn.Conv2d(count, 64, 7, 2, 3, bias=False)
    network.fc = torch.nn.Identity()
    lively(network, count)
    file, out = work / f"{count}.pth", work / f"{count}"
    torch.save(network.state_dict(), file)
    run(programs["export"], file, "--to=timm", f"--out={out}", f"--arch=resnet34:channels={count}",
        "--eval-views=resize:size=40|center_crop:size=32|to_tensor|normalize:mean=0.5,std=0.5")
    x = torch.rand(3, count, 50, 40)
    model = timm.create_model(f"local-dir:{out}", pretrained=True).eval()
    exports.check(f"timm, {count} channels", model(x), network(x))
    other = transformers.AutoModel.from_pretrained(out).eval()
    exports.check(f"transformers, {count} channels", other(pixel_values=x).pooler_output.flatten(1), network(x))
    config = timm.data.resolve_model_data_config(model)
    assert (config["input_size"], len(config["mean"])) == ((count, 32, 32), count), config


def architectures(work, programs):
    """Every architecture by its name, without weights that matter."""
    for name in ("resnet50", "resnext50_32x4d", "wide_resnet50_2"):
        network = getattr(torchvision.models, name)()
        torch.save(network.state_dict(), work / f"{name}.pth")
        run(programs["export"], work / f"{name}.pth", "--to=timm", f"--out={work / name}", f"--arch={name}")
        model = timm.create_model(f"local-dir:{work / name}", pretrained=True)
        expected = {k: v for k, v in network.state_dict().items() if not k.startswith("fc.")}
        state = model.state_dict()
        assert state.keys() == expected.keys() and all(torch.equal(state[k], expected[k]) for k in state), name
        (work / f"{name}.pth").unlink()


def others(work, programs):
    """Networks that are not the one that is named, in every format."""
    files = {}
    for name, options in (("seresnet18", {}), ("resnet18d", {}),
                          ("resnet18", {"norm_layer": lambda width, **_: torch.nn.GroupNorm(8, width)})):
        files[name] = work / f"other_{name}.pth"
        torch.save(timm.create_model(name, **options).state_dict(), files[name])
    files["resnetaa50"] = work / "resnetaa50.pth"  # timm's own form of a training checkpoint
    torch.save({"arch": "resnetaa50", "state_dict": torchvision.models.resnet18().state_dict()}, files["resnetaa50"])
    for name, file in files.items():
        for to in ("torchvision", "safetensors", "detectron2", "onnx", "timm"):
            arch = [] if name == "resnetaa50" else ["--arch=resnet18"]
            refused(programs["export"], 2, [file.name], file, f"--to={to}", f"--out={work / 'none'}", *arch)
            assert not (work / "none").exists()


def containers(work, programs):
    """Forms of files that torch writes: those of state dicts are read, others named with what makes one of them."""
    network = lively(torchvision.models.resnet18()).eval()
    state = network.state_dict()
    reference, out = None, work / "out.safetensors"
    for protocol in (2, 3, 4, 5):
        for zipped in (True, False):
            file = work / f"protocol{protocol}{zipped}.pth"
            torch.save(state, file, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
            run(programs["export"], file, "--to=safetensors", "--arch=resnet18", f"--out={out}")
            reference = reference or out.read_bytes()
            assert out.read_bytes() == reference, file
    written = safetensors.torch.load_file(out)
    assert all(torch.equal(written[name], state[name]) for name in written)

    torch.jit.script(network).save(work / "script.pt")
    torch.export.save(torch.export.export(network, (torch.rand(1, 3, 32, 32),)), work / "program.pt2")
    dcp.save({"model": state}, checkpoint_id=work / "distributed")
    part = sorted((work / "distributed").glob("*.distcp"))[0]
    (work / "part.bin").write_bytes(part.read_bytes())
    for place, text in (("script.pt", "torch.jit.load"), ("program.pt2", "torch.export.load"),
                        ("distributed", "dcp_to_torch_save"), (part, "dcp_to_torch_save"),
                        ("part.bin", "dcp_to_torch_save")):
        refused(programs["export"], 2, [text], work / place, "--to=safetensors", "--arch=resnet18", f"--out={work / 'none'}")
        refused(programs["inspect"], 2, [text], work / place)
    # What is advised.
    torch.save(torch.jit.load(work / "script.pt").state_dict(), work / "weights.pth")
    run(programs["export"], work / "weights.pth", "--to=safetensors", "--arch=resnet18", f"--out={out}")
    torch.save(dict(torch.export.load(work / "program.pt2").state_dict), work / "weights.pth")
    run(programs["export"], work / "weights.pth", "--to=safetensors", "--arch=resnet18", f"--out={out}")
    dcp.format_utils.dcp_to_torch_save(work / "distributed", work / "weights.pth")
    run(programs["export"], work / "weights.pth", "--to=safetensors", "--arch=resnet18", f"--out={out}")

    # One tensor of a kind that is not read.
    odd = {"weight": torch.ones(2, 3), "c": torch.ones(2, dtype=torch.complex64), "u": torch.ones(3, dtype=torch.uint16),
           "f": torch.ones(4, dtype=torch.float8_e4m3fn), "last": torch.ones(5)}
    torch.save(odd, work / "odd.pth")
    torch.save(odd, work / "odd_legacy.pth", _use_new_zipfile_serialization=False)
    safetensors.torch.save_file(odd, work / "odd.safetensors")
    for name in ("odd.pth", "odd_legacy.pth", "odd.safetensors"):
        listing = run(programs["inspect"], work / name)
        print(listing, end="")
        assert "5 tensors" in listing and listing.count("not read") == 3, listing
        for shape in ("2x3", " 2 ", " 3 ", " 4 ", " 5 "):
            assert shape in listing, (shape, listing)


def main():
    names = ("pretrain", "lincls", "features", "export", "inspect")
    programs = {name: str(pathlib.Path(path).absolute()) for name, path in zip(names, sys.argv[1:6])}
    demo = pathlib.Path(sys.argv[6]).absolute()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as temporary, torch.no_grad():
        work = pathlib.Path(temporary)
        folder = run_folder(work, programs, demo)
        classifier(work, programs, demo, folder)
        page(work, programs, folder)
        for count in (1, 4, 5):
            channels(work, programs, count)
        architectures(work, programs)
        others(work, programs)
        containers(work, programs)


if __name__ == "__main__":
    main()
