"""Cuts scenes of satellites into tiles: cut_tiles.py OUT SIZE SCENE...      (requires rasterio)

Each SCENE, a GeoTIFF or anything else that rasterio opens, gives OUT/<scene>/<row>_<column>.tif, with all bands and the
values as they are. Tiles of which more than a tenth has no data are left out.
"""

import pathlib
import sys

import rasterio
from rasterio.windows import Window


def main():
    out, size = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    for path in map(pathlib.Path, sys.argv[3:]):
        folder = out / path.stem
        folder.mkdir(parents=True, exist_ok=True)
        kept = left_out = 0
        with rasterio.open(path) as scene:
            for row in range(0, scene.height - size + 1, size):
                for column in range(0, scene.width - size + 1, size):
                    window = Window(column, row, size, size)
                    if (scene.dataset_mask(window=window) == 0).mean() > 0.1:
                        left_out += 1
                        continue
                    kept += 1
                    with rasterio.open(folder / f"{row}_{column}.tif", "w", driver="GTiff", width=size, height=size, count=scene.count,
                                       dtype=scene.dtypes[0], compress="deflate") as tile:
                        tile.write(scene.read(window=window))
        print(f"{path}: {kept} tiles of {scene.count} bands, {left_out} left out")


main()
