"""Every variant of every image format, in four sizes, against Pillow's convert("RGB") and convert("L"), and arrays against
numpy.load.

    codecs_test.py DECODE_FILES
"""

import collections
import io
import itertools
import pathlib
import random
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image, features

sys.path.insert(0, "data/testdata")
import image_variants

SIZES = [(13, 7), (1, 1), (64, 48), (131, 20)]


def decoded(program, channels, paths, given_range=""):
    """What our decoder makes of each file: an array, or a text that says why there is none."""
    run = subprocess.run([program, str(channels), given_range, *paths], check=True, capture_output=True)
    assert not run.stderr, f"a library has printed: {run.stderr[:500]}"
    out, results = io.BytesIO(run.stdout), []
    for line in out:
        line = line.decode().rstrip("\n")
        if line.startswith("error: "):
            results.append(line)
            continue
        *shape, size = map(int, line.split())
        dtype = np.uint8 if size == 1 else np.float32
        results.append(np.frombuffer(out.read(np.prod(shape) * size), dtype).reshape(shape))
    assert len(results) == len(paths)
    return results


VALUES = {"I;16": 65535, "I;16B": 65535, "I": 255, "F": 255}  # modes whose values are compared themselves, and what is white


def difference(ours, path, mode, channels):
    """A text that says how `ours` differs from Pillow's picture; empty if it does not."""
    if isinstance(ours, str):
        return ours
    with Image.open(path) as im:
        if white := VALUES.get(im.mode):  # Pillow's convert() clips these at 255
            theirs = np.clip(np.asarray(im)[:, :, None].astype(np.float32) / np.float32(white), 0, 1)
            theirs, limit = np.repeat(theirs, channels, 2), 1e-7
        else:
            theirs = np.asarray(im.convert(mode))
            theirs, limit = theirs.reshape(*theirs.shape[:2], channels), 0
            if ours.dtype == np.float32:  # colours of 16 bits, which Pillow makes 8
                limit = 1 if mode == "L" else 0.5 + 1 / 256 if path.suffix == ".ppm" else 0
                ours = ours * 255 if path.suffix == ".ppm" else np.rint(ours.astype(np.float64) * 65535) // 256
            elif ours.dtype != theirs.dtype:
                return f"{ours.dtype}, not {theirs.dtype}"
    if ours.shape != theirs.shape:
        return f"{ours.shape}, not {theirs.shape}"
    apart = np.abs(ours.astype(np.float64) - theirs)
    return "" if apart.max() <= limit else f"differs by up to {apart.max():g} in {np.mean(apart > limit):.1%}"


def arrays(program, rng):
    """numpy.save's arrays of one image: how many were compared, and which differ."""
    compared, failed = 0, []
    for width, height in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            for name, contents in image_variants.npy(width, height, rng):
                path = pathlib.Path(folder, name)
                path.write_bytes(contents)
                x = np.load(path)
                low, high = {"u1": (0, 255), "u2": (0, 65535)}.get(name[:2]) or (float(x.min()) / 2 - 1, float(x.max()) / 2 + 1)
                if not low < high:  # a single value of 64 bits
                    low, high = low - abs(low), high + abs(high)
                given = "" if name[:2] in ("u1", "u2") else f"{low!r}:{high!r}"
                ours, = decoded(program, max(1, x.shape[2] if x.ndim == 3 else 1), [path], given)
                compared += 1
                if isinstance(ours, str):
                    failed.append(ours)
                    continue
                theirs = x.reshape(height, width, -1)
                if name[:2] == "u1":
                    if ours.dtype != np.uint8 or not np.array_equal(ours, theirs):
                        failed.append(f"{name}, {width} x {height} differs")
                    continue
                theirs = np.clip((theirs.astype(np.float64) - low) / (high - low), 0, 1)
                if ours.shape != theirs.shape or np.abs(ours - theirs).max() > 1e-6:
                    failed.append(f"{name}, {width} x {height}: {ours.shape}, by {np.abs(ours - theirs).max():g}")
    return compared, failed


def main():
    print("Pillow", Image.__version__, {name: features.version(name) for name in ("webp", "libtiff", "libjpeg_turbo")})
    rng, compared, failed = random.Random(3), collections.Counter(), []
    for kind, variants in (image_variants.ALL | {"16-bit grey": image_variants.tiff_grey_16}).items():
        for width, height in SIZES:
            with tempfile.TemporaryDirectory() as folder:
                paths = []
                for name, contents in variants(width, height, rng):
                    paths.append(pathlib.Path(folder, name))
                    paths[-1].write_bytes(contents)
                signed = [path for path in paths if path.name.startswith(("int8", "int16", "int32", "uint32", "float"))]
                others = [path for path in paths if path not in signed]
                for (channels, mode), (chosen, given) in itertools.product(((3, "RGB"), (1, "L")),
                                                                           ((others, ""), (signed, "0:255"))):
                    for path, ours in zip(chosen, decoded(sys.argv[1], channels, chosen, given)):
                        if path.name == "extra_1_rgb_16.tif":  # alpha that Pillow divides out in 8 bits
                            continue
                        compared[kind] += 1
                        if why := difference(ours, path, mode, channels):
                            failed.append(f"{path.name}, {width} x {height}, {mode}: {why}")
    compared["npy"], differ = arrays(sys.argv[1], rng)
    failed += differ
    print(*failed, sep="\n")
    print("compared:", dict(compared))
    assert not failed, f"{len(failed)} differ"


main()
