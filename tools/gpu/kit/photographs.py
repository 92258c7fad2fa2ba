"""JPEG files of the size of photographs, for the loader: mosaics of the kit's images, enlarged, with grain."""

import concurrent.futures
import os
import random

WIDTH, HEIGHT, TILE, QUALITY = 500, 375, 125, 90


def draw(seed, sources, target):
    """Writes one: 12 images enlarged four times, with grain, so that it has about as many bytes as one of ImageNet."""
    import numpy
    from PIL import Image
    rng = random.Random(seed)
    picture = Image.new("RGB", (WIDTH, HEIGHT))
    for top in range(0, HEIGHT, TILE):
        for left in range(0, WIDTH, TILE):
            with Image.open(rng.choice(sources)) as tile:
                picture.paste(tile.convert("RGB").resize((TILE, TILE), Image.Resampling.BICUBIC), (left, top))
    grain = numpy.random.default_rng(seed).normal(0, 9, (HEIGHT, WIDTH, 3))
    grained = numpy.clip(numpy.asarray(picture) + grain, 0, 255).astype(numpy.uint8)
    Image.fromarray(grained).save(target, "JPEG", quality=QUALITY)


def make(place):
    """The folder with them."""
    folder = place.work / "photographs"
    if folder.exists():
        return folder
    new = place.work / "photographs.new"
    new.mkdir(exist_ok=True)
    sources = sorted(map(str, (place.images / "train").glob("*/*")))[:2000]
    count = 16 if place.rehearsal else 2048
    with concurrent.futures.ThreadPoolExecutor(place.threads) as pool:
        for done in [pool.submit(draw, seed, sources, str(new / f"{seed:05}.jpg")) for seed in range(count)]:
            done.result()
    new.rename(folder)
    return folder


def link(place, folder, count):
    """A folder of `count` files, which are the photographs by turns."""
    target = place.work / "photographs_of_a_run"
    target.mkdir(exist_ok=True)
    files = sorted(folder.iterdir())
    for i in range(count):
        name = target / f"{i:06}.jpg"
        if not name.exists():
            os.link(files[i % len(files)], name)


def mean_size(folder):
    sizes = [file.stat().st_size for file in folder.iterdir()]
    return sum(sizes) / len(sizes)
