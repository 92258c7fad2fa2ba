"""Every variant of every image format, in four sizes, against Pillow's convert("RGB") and convert("L").

    codecs_test.py DECODE_FILES
"""

import collections
import io
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


def decoded(program, channels, paths):
    """What our decoder makes of each file: an array, or a text that says why there is none."""
    run = subprocess.run([program, str(channels), *paths], check=True, capture_output=True)
    assert not run.stderr, f"a library has printed: {run.stderr[:500]}"
    out, results = io.BytesIO(run.stdout), []
    for line in out:
        line = line.decode().rstrip("\n")
        if line.startswith("error: "):
            results.append(line)
            continue
        shape = tuple(map(int, line.split()))
        results.append(np.frombuffer(out.read(np.prod(shape)), np.uint8).reshape(shape))
    assert len(results) == len(paths)
    return results


def main():
    print("Pillow", Image.__version__, {name: features.version(name) for name in ("webp", "libtiff", "libjpeg_turbo")})
    rng, compared, failed = random.Random(3), collections.Counter(), []
    for kind, variants in image_variants.ALL.items():
        for width, height in SIZES:
            with tempfile.TemporaryDirectory() as folder:
                paths = []
                for name, contents in variants(width, height, rng):
                    paths.append(pathlib.Path(folder, name))
                    paths[-1].write_bytes(contents)
                for channels, mode in (3, "RGB"), (1, "L"):
                    for path, ours in zip(paths, decoded(sys.argv[1], channels, paths)):
                        with Image.open(path) as im:
                            theirs = np.asarray(im.convert(mode))
                        theirs = theirs.reshape(*theirs.shape[:2], channels)
                        compared[kind] += 1
                        if not np.array_equal(ours, theirs):
                            why = ours if isinstance(ours, str) else f"{ours.shape}, not {theirs.shape}" \
                                if ours.shape != theirs.shape else \
                                f"differs by up to {np.abs(ours.astype(int) - theirs).max()} in {np.mean(ours != theirs):.1%}"
                            failed.append(f"{path.name}, {width} x {height}, {mode}: {why}")
    print(*failed, sep="\n")
    print("compared:", dict(compared))
    assert not failed, f"{len(failed)} differ"


main()
