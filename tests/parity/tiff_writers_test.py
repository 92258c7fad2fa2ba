"""TIFF files by tifffile (microscopes) and rasterio (satellites), against what these packages read.

    tiff_writers_test.py DUMP_DATASET
"""

import collections
import io
import itertools
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import rasterio
import rasterio.enums
import rasterio.shutil
import rasterio.windows
import tifffile

HEIGHT, WIDTH = 37, 53
rng = np.random.default_rng(0)
compared = collections.Counter()
failed = []


def compare(what, path, theirs, pages="first"):
    """`theirs`: the images, H x W x C, that the package reads in the one file of the folder of `path`."""
    theirs = [x[:, :, None] if x.ndim == 2 else x for x in theirs]
    dtype, channels = theirs[0].dtype, theirs[0].shape[2]
    if dtype == np.uint8:
        given, scaled = "", [x for x in theirs]
    elif dtype == np.uint16:
        given, scaled = "", [x / 65535 for x in theirs]
    else:
        low, high = float(min(x.min() for x in theirs)) - 1, float(max(x.max() for x in theirs)) + 1
        given = f"{low!r}:{high!r}"
        scaled = [(x.astype(np.float64) - low) / (high - low) for x in theirs]
    done = subprocess.run([sys.argv[1], path.parent, "pretraining", str(channels), "flat_folder", given, pages], capture_output=True)
    compared[what.split()[0]] += 1
    if done.returncode:
        failed.append(f"{what}: {done.stderr.decode().strip()}")
        return
    out = io.BytesIO(done.stdout)
    for i, x in enumerate(scaled):
        shape = tuple(map(int, out.readline().split()[:3]))
        if shape != x.shape:
            failed.append(f"{what}, image {i}: {shape}, not {x.shape}")
            return
        kind = np.uint8 if dtype == np.uint8 else np.float32
        values = np.frombuffer(out.read(x.size * kind().itemsize), kind).reshape(shape)
        apart = np.abs(values.astype(np.float64) - x).max()
        if apart > (0 if dtype == np.uint8 else 1e-6):
            failed.append(f"{what}, image {i}: differs by {apart:g}")
            return
    if rest := out.read():
        failed.append(f"{what}: {len(rest)} bytes more than {len(theirs)} images")


def array(dtype, *shape):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return rng.normal(0, 100, shape).astype(dtype)
    return rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def new_file(root, name):
    """A file in a new folder."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=root))
    return folder / name


def microscopes(root):
    for dtype, channels, (compression, predictor), tile, planar, order in itertools.product(
            ("u1", "u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8"), (1, 3, 5),
            ((None, False), ("lzw", True), ("zlib", True), ("zstd", False), ("packbits", False)), (None, (16, 32)), ("contig", "separate"), "<>"):
        if channels == 1 and planar == "separate" or compression == "packbits" and dtype != "u1":
            continue
        if dtype == "f2" and predictor:  # libtiff has it for 16 bits only in some builds
            predictor = False
        x = array(dtype, HEIGHT, WIDTH, channels)
        data = x if planar == "contig" else x.transpose(2, 0, 1)
        path = new_file(root, "x.tif")
        tifffile.imwrite(path, data[:, :, 0] if channels == 1 else data, compression=compression, predictor=predictor, tile=tile,
                         planarconfig=planar if channels > 1 else None, photometric="minisblack", byteorder=order)
        read = tifffile.imread(path)
        read = read if planar == "contig" or channels == 1 else read.transpose(1, 2, 0)
        assert np.array_equal(read.reshape(x.shape), x)
        compare(f"tifffile {dtype} x {channels} {compression} {predictor} {tile} {planar} {order}", path, [x])

    # OME-TIFF: channels, slices and times are pages; the levels of a pyramid are in SubIFDs.
    for axes, shape in (("CYX", (5, HEIGHT, WIDTH)), ("TZCYX", (2, 3, 2, HEIGHT, WIDTH)), ("ZYX", (4, HEIGHT, WIDTH))):
        x = array("u2", *shape)
        planes = list(x.reshape(-1, HEIGHT, WIDTH))
        for name, options in (("x.ome.tif", {"ome": True}), ("x.tif", {"imagej": True})):
            path = new_file(root, name)
            tifffile.imwrite(path, x, photometric="minisblack", metadata={"axes": axes}, **options)
            with tifffile.TiffFile(path) as file:
                assert file.is_ome if "ome" in options else file.is_imagej
                assert np.array_equal(file.asarray().reshape(x.shape), x)
            compare(f"{name} {axes} as images", path, planes, "images")
            compare(f"{name} {axes} as channels", path, [np.stack(planes, 2)], "channels")
    x = array("u2", 2, 64, 64)
    path = new_file(root, "pyramid.ome.tif")
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(x, subifds=2, tile=(16, 16), photometric="minisblack", metadata={"axes": "CYX"})
        for step in 2, 4:
            file.write(x[:, ::step, ::step], subfiletype=1, tile=(16, 16), photometric="minisblack")
    compare("pyramid of SubIFDs", path, list(x), "images")
    path = new_file(root, "pyramid.tif")
    with tifffile.TiffWriter(path) as file:
        for step in 1, 2, 4:
            file.write(x[0, ::step, ::step], subfiletype=int(step > 1), photometric="minisblack")
    compare("pyramid of pages", path, [x[0]], "images")


def satellites(root):
    common = {"driver": "GTiff", "height": HEIGHT, "width": WIDTH}
    for dtype, channels, interleave, tiled, (compress, predictor), nodata in itertools.product(
            ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"), (1, 2, 3, 4, 5, 13), ("pixel", "band"), (False, True),
            ((None, 1), ("lzw", 2), ("deflate", 3), ("zstd", 2)), (None, 0)):
        predictor = (3 if dtype[0] == "f" else 2) if predictor == 3 else predictor
        if dtype == "float64" and predictor == 2:
            predictor = 1
        x = array(dtype, channels, HEIGHT, WIDTH)
        path = new_file(root, "x.tif")
        more = {"compress": compress, "predictor": predictor} if compress else {}
        if tiled:
            more |= {"tiled": True, "blockxsize": 16, "blockysize": 32}
        with rasterio.open(path, "w", **common, count=channels, dtype=dtype, interleave=interleave, nodata=nodata, **more) as file:
            file.write(x)
        with rasterio.open(path) as file:
            read = file.read()
        assert np.array_equal(read, x)
        compare(f"rasterio {dtype} x {channels} {interleave} {tiled} {compress} {predictor} {nodata}", path, [x.transpose(1, 2, 0)])

    x = array("uint16", 4, 64, 64)
    x_hwc = x.transpose(1, 2, 0)
    large = common | {"height": 64, "width": 64, "count": 4, "dtype": "uint16", "tiled": True, "blockxsize": 16, "blockysize": 16}
    # Overviews and masks are further directories of the file.
    path = new_file(root, "overviews.tif")
    with rasterio.open(path, "w", **large) as file:
        file.write(x)
        file.build_overviews([2, 4], rasterio.enums.Resampling.average)
    compare("overviews, pages as images", path, [x_hwc], "images")
    compare("overviews, pages as channels", path, [x_hwc], "channels")
    path = new_file(root, "mask.tif")
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", **large) as file:
        file.write(x)
        file.write_mask(array("uint8", 64, 64) > 100)
    compare("internal mask", path, [x_hwc], "images")
    path = new_file(root, "cog.tif")
    rasterio.shutil.copy(new_file_of(root, large, x), path, driver="COG", blocksize=128)
    compare("cloud-optimised", path, [x_hwc], "images")
    # Blocks that were never written.
    for tiled, nodata, dtype in itertools.product((True, False), (None, 7, 255), ("uint8", "int16", "float32")):
        if not tiled and nodata is None:
            continue  # a strip without bytes may as well be damage
        path = new_file(root, "sparse.tif")
        options = common | {"height": 64, "width": 64, "count": 2, "dtype": dtype, "sparse_ok": True, "nodata": nodata}
        options |= {"tiled": True, "blockxsize": 16, "blockysize": 16} if tiled else {"blockysize": 16}
        with rasterio.open(path, "w", **options) as file:
            file.write(array(dtype, 2, 16, 64), window=rasterio.windows.Window(0, 16, 64, 16))
        with rasterio.open(path) as file:
            theirs = file.read().transpose(1, 2, 0)
        compare(f"sparse {tiled} {nodata} {dtype}", path, [theirs])
    # Fewer bits than those of the type are scaled to all of it.
    x = rng.integers(0, 1 << 12, (2, HEIGHT, WIDTH), np.uint16)
    for compress in None, "lzw", "deflate":
        path = new_file(root, "bits.tif")
        more = {"compress": compress} if compress else {}
        with rasterio.open(path, "w", **common, count=2, dtype="uint16", nbits=12, **more) as file:
            file.write(x)
        compare(f"nbits {compress}", path, [(x.transpose(1, 2, 0).astype(np.uint32) * 65535 // 4095).astype(np.uint16)])


def new_file_of(root, options, x):
    path = new_file(root, "source.tif")
    with rasterio.open(path, "w", **options) as file:
        file.write(x)
    return path


def main():
    warnings.simplefilter("ignore")  # no georeference
    print("tifffile", tifffile.__version__, "rasterio", rasterio.__version__, "GDAL", rasterio.__gdal_version__)
    for test in microscopes, satellites:
        with tempfile.TemporaryDirectory() as root:
            test(root)
    print(*failed[:50], sep="\n")
    print("compared:", dict(compared))
    assert not failed, f"{len(failed)} differ"


main()
