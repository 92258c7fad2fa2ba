"""The measures without labels against NumPy in float64: of arrays, and of a run's encoder.

    measures_test.py MEASURE_ARRAYS PRETRAIN FEATURES DEMO

Arrays of many shapes, ranks and scales, some of them collapsed, have the same measures within 1e-9 (relative to values
above 1). The numbers in the metrics of a run are those of the features that //lincls:features writes.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

import bridge

BOUND = 1e-9
EPSILON, DELTA = 1e-7, 1e-4


def effective_rank(values):
    values = np.sort(values)
    p = (values / values[-1] if values[-1] > 0 else np.arange(len(values)) == len(values) - 1) + 0.0
    p = p / p.sum() + EPSILON
    return np.exp(-(p * np.log(p)).sum())


def rankme(x):
    return effective_rank(np.linalg.svd(x, compute_uv=False))


def lidar(views):
    """With W^-1/2 by the eigenvectors of W."""
    means = views.mean(1)
    between = means - means.mean(0)
    within = (views - means[:, None]).reshape(-1, views.shape[2])
    values, vectors = np.linalg.eigh(within.T @ within / len(within) + DELTA * np.eye(views.shape[2]))
    root = vectors / np.sqrt(values) @ vectors.T
    return effective_rank(np.maximum(np.linalg.eigvalsh(root @ (between.T @ between / len(between)) @ root), 0))


def unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def alignment(views):
    z, count = unit(views), views.shape[1]
    return np.mean([((z[:, a] - z[:, b]) ** 2).sum(1).mean() for a in range(count) for b in range(a)])


def uniformity(x):
    z = unit(x)
    first, second = np.triu_indices(len(z), 1)
    return np.log(np.exp(-2 * ((z[first] - z[second]) ** 2).sum(1)).mean())


def expected(views):
    plain = views[:, 0]
    return {"rankme": rankme(plain), "lidar": lidar(views), "alignment": alignment(views),
            "uniformity": uniformity(plain)}


def arrays():
    random = np.random.default_rng(1)
    for n, v, d in ((50, 4, 8), (20, 2, 64), (300, 4, 128), (7, 5, 7), (2, 2, 3), (64, 3, 1)):
        images = random.normal(size=(n, 1, d))
        yield images + 0.3 * random.normal(size=(n, v, d))
        # LiDAR's condition is that of W: beyond this scale, float64 does not decide the last of nine digits.
        yield 1e2 * (images + 0.1 * random.normal(size=(n, v, d)))
        yield 1e-3 * (images + 0.1 * random.normal(size=(n, v, d)))
        # A spectrum that falls over twelve decades, as of features that collapse in most directions.
        yield (images + 0.3 * random.normal(size=(n, v, d))) * 10 ** np.linspace(0, -12, d)
        yield np.maximum(images + 0.3 * random.normal(size=(n, v, d)), 0) + 5  # a large mean
        yield np.ones((n, v, 1)) * random.normal(size=d)  # all the same
    # What label_free_test.cc has.
    i, a, j = np.ogrid[:12, :3, :5]
    yield np.sin(7.0 * i + 2.0 * i * j + 0.5 * j * j) + 0.3 * np.sin(3.0 * a * (j + 1) + i * j + a)


def check(what, found, wanted, bound=BOUND):
    difference = abs(found - wanted) / max(1, abs(wanted))
    assert difference <= bound, f"{what}: {found!r}, NumPy finds {wanted!r}"
    return difference


def check_arrays(program):
    cases = list(arrays())
    request = b"".join(b"%d %d %d\n" % x.shape + np.ascontiguousarray(x, np.float64).tobytes() for x in cases)
    names, *answers = subprocess.run([program], input=request, check=True, capture_output=True).stdout.decode().splitlines()
    assert len(answers) == len(cases)
    largest = 0
    for x, answer in zip(cases, answers):
        wanted = expected(x)
        assert names.split() == list(wanted), names
        for name, value in zip(names.split(), answer.split()):
            largest = max(largest, check(f"{name} of {x.shape}", float(value), wanted[name]))
    print(f"{len(cases)} arrays: differences up to {largest:.1e}")
    print("of the last one:", {name: float(value) for name, value in expected(cases[-1]).items()})


def check_run(work, pretrain, features, demo):
    images = work / "images/train"
    bridge.unpack(demo, images, 6)
    (work / "images/val").symlink_to(images)
    run = work / "run"
    flags = ["--arch=resnet_small:width=8,blocks=1,stages=2", "--mlp", "--moco-dim=16", "--moco-k=64", "--batch-size=20",
             "--epochs=2", "--image-size=32", "--threads=1"]
    subprocess.run([pretrain, work / "images", *flags, "--monitor-every=1", f"--run-dir={run}"], check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run([features, work / "images", "--split=validation", "--features=backbone,head", "--threads=1",
                    f"--pretrained={run}", f"--out={work / 'features'}"], check=True, stdout=subprocess.DEVNULL)
    metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    last = [line for line in metrics if "rankme_head" in line][-1]
    for place in ("backbone", "head"):
        x = np.load(work / f"features/{place}.npy").astype(np.float64)
        for name, function in (("rankme", rankme), ("uniformity", uniformity)):
            # Batches of other sizes round otherwise.
            check(f"{name} of the run's {place}", last[f"{name}_{place}"], function(x), 1e-5)


def main():
    program, pretrain, features, demo = sys.argv[1:]
    check_arrays(program)
    with tempfile.TemporaryDirectory() as folder:
        check_run(pathlib.Path(folder), pretrain, features, pathlib.Path(demo))


if __name__ == "__main__":
    main()
