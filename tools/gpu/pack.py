#!/usr/bin/env python3
"""Packs the kit that checks and measures MoCo++ on a GPU, for a machine with PyTorch (docs/cuda.md).

    tools/gpu/pack.sh --moco=CLONE --images=cifar10-jpeg.tar.xz

CLONE is a clone of facebookresearch/moco with its branch colab-notebook. The images are CIFAR-10 as an image folder in a
tar archive: train/<class>/ and test/<class>/ (or val/). LibTorch is not inside.
"""

import argparse
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

FOR_CUDA = ["tests/cuda/libraries_test", "moco/training/cuda_devices_test"]
PROGRAMS = ["moco/pretrain", "dist/launch", "dist/pretrain_ddp", "lincls/lincls", "lincls/features", "lincls/knn", "tools/inspect",
            "tools/export", "benchmarks/step_benchmark", "tests/device/operations_on_device", "tests/device/training_on_device"]
# Which a program of tests calls itself. The others have LibTorch call them.
CALLED = ["libcudart.so.13", "libnccl.so.2", "libnvrtc.so.13"]
LARGEST = 60_000_000
COMMIT = "3402035"  # of the official code
DEFINITIONS = ("class SplitBatchNorm", "class ModelMoCo")  # in the demo's notebook
HEAD = """import functools
from functools import partial

import torch
import torch.nn as nn
from torch.nn import functional as F
from torchvision.models import resnet

"""


def archive(target, files):
    """Writes files, contents and modes by path, as a tar archive."""
    compression = target.suffix[1:]  # gz, which is fast, or xz, which is small
    with tarfile.open(target, f"w:{compression}") as tar:
        for path, (contents, program) in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(contents), 0o755 if program else 0o644
            tar.addfile(entry, io.BytesIO(contents))


def official(place, fault):
    """The official files by name, from a clone or from a folder with the two files."""
    folder = pathlib.Path(place)

    def shown(*revisions):
        for revision in revisions:
            done = subprocess.run(["git", "-C", folder, "show", revision], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return done.stdout
        raise fault(2, f"--moco={place}: git finds no {revisions[0]}; give a clone of facebookresearch/moco with all branches")

    if (folder / "builder.py").exists():
        builder, notebook = ((folder / name).read_text() for name in ("builder.py", "moco_cifar10_demo.ipynb"))
    else:
        path = "colab-notebook:colab/moco_cifar10_demo.ipynb"
        builder, notebook = shown(f"{COMMIT}:moco/builder.py"), shown(path, f"origin/{path}")
    cells = [cell for cell in json.loads(notebook)["cells"] if cell["cell_type"] == "code"]
    code = [source.split("# create model")[0] for source in ("".join(cell["source"]) for cell in cells)
            if any(name in source for name in DEFINITIONS)]
    said = "".join("".join(output.get("text", [])) for cell in cells for output in cell.get("outputs", []))
    accuracies = {int(epoch): float(value) for epoch, value in re.findall(r"Test Epoch: \[(\d+)/\d+\] Acc@1:([\d.]+)%", said)}
    return {"official_builder.py": builder, "official_demo.py": HEAD + "\n\n".join(code) + "\n",
            "published.json": json.dumps([accuracies[epoch] for epoch in sorted(accuracies)]) + "\n"}


def repack(source, target, fault):
    """The image folder with its test images under val/."""
    files = {}
    with tarfile.open(source) as tar:
        for entry in tar:
            found = re.search(r"(?:^|/)(train|test|val)/([^/]+/[^/]+)$", entry.name)
            if entry.isfile() and found:
                split = "train" if found[1] == "train" else "val"
                files[f"{split}/{found[2]}"] = (tar.extractfile(entry).read(), False)
    if not files:
        raise fault(2, f"--images={source} has no train/<class>/ and test/<class>/ with images")
    archive(target, files)


def main():
    here = pathlib.Path(sys.argv[0] + ".runfiles", "mocopp")
    root = here if here.is_dir() else pathlib.Path(os.environ["RUNFILES_DIR"], "mocopp")
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(root / "tools/bundle"))
    import bundle as bundles

    parser = argparse.ArgumentParser(prog="pack.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     allow_abbrev=False)
    parser.add_argument("--moco", required=True, help="a clone of facebookresearch/moco")
    parser.add_argument("--images", required=True, help="CIFAR-10 as JPEG files in a tar archive")
    parser.add_argument("--out", default="gpu_kit", help="folder for the kit; an older one is replaced (default: gpu_kit)")
    parser.add_argument("--commit", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    working = os.environ.get("BUILD_WORKING_DIRECTORY", ".")
    moco, images, out = (pathlib.Path(working, os.path.expanduser(path)) for path in (options.moco, options.images, options.out))
    try:
        if out.exists() and not (out / "kit.json").exists():
            raise bundles.Fault(4, f"--out={options.out} exists and is no kit; give another folder")
        if not images.is_file():
            raise bundles.Fault(2, f"--images={options.images} is no file")
        programs = PROGRAMS + FOR_CUDA * (root / FOR_CUDA[0]).exists()
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            bundle = bundles.Bundle(root, scratch)
            bundle.add_programs(programs)
            cuda = "libtorch_cuda.so" in bundle.needs["torch_libraries"]
            for place in programs:
                path = f"programs/mocopp/{place}"
                program = scratch / "stripped"
                program.write_bytes(bundle.files[path][0])
                bundles.output_of("strip", program)
                if place == FOR_CUDA[0]:
                    bundles.output_of("patchelf", *[word for name in CALLED for word in ("--add-needed", name)], program)
                bundle.add(path, program.read_bytes(), program=True)
            bundle.add("launcher.py", (root / "tools/bundle/launcher.py").read_bytes())
            kit = scratch / "kit"
            kit.mkdir()
            archive(kit / "programs.tar.gz", {f"mocopp/{path}": entry for path, entry in bundle.files.items()})
            repack(images, kit / "images.tar.xz", bundles.Fault)
            for name, text in official(moco, bundles.Fault).items():
                (kit / "official").mkdir(exist_ok=True)
                (kit / "official" / name).write_text(text)
            for source in [root / "benchmarks/official_step.py", root / "tests/parity/reference.py", root / "tools/gpu/run.sh",
                           *sorted((root / "tools/gpu/kit").glob("*.py"))]:
                target = kit / ("kit" if source.parent.name == "kit" else "") / source.name
                target.parent.mkdir(exist_ok=True)
                shutil.copy(source.resolve(), target)
            (kit / "run.sh").chmod(0o755)
            digest = hashlib.sha256((kit / "programs.tar.gz").read_bytes() + (kit / "images.tar.xz").read_bytes()).hexdigest()
            (kit / "kit.json").write_text(json.dumps({"id": digest, "cuda": cuda, "commit": options.commit}) + "\n")
            size = sum(file.stat().st_size for file in kit.rglob("*") if file.is_file())
            if size > LARGEST:
                raise bundles.Fault(1, f"the kit has {size / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f}")
            shutil.rmtree(out, ignore_errors=True)
            shutil.copytree(kit, out)
    except bundles.Fault as fault:
        print(f"error: {fault}", file=sys.stderr)
        return fault.code
    print(f"wrote    {out}, {size / 1e6:.1f} MB: {len(programs)} programs, {'with' if cuda else 'without'} CUDA; "
          f"there: {options.out}/run.sh check")
    return 0


if __name__ == "__main__":
    sys.exit(main())
