"""Writes samples/ and decode_golden.txt: what Pillow sees in small images, for decode_test.cc. (Arrays are samples for
codec_contract_test.cc alone.)

    python make_decode_golden.py > decode_golden.txt      # Pillow 13, libjpeg-turbo's cjpeg

Each line: file, width, height, the RGB bytes of convert("RGB") in hexadecimal.
"""

import io
import os
import random
import struct
import subprocess
import zlib

import PIL
from PIL import Image, features

import image_variants

WIDTH, HEIGHT = 13, 7  # odd, so that rows of few bits end inside of a byte


def photograph(width=21, height=18):
    """Smooth colour with some noise."""
    rng = random.Random(1)
    pixels = [tuple(max(0, min(255, v + rng.randint(-20, 20))) for v in (x * 12, y * 14, 255 - x * 6 - y * 7))
              for y in range(height) for x in range(width)]
    im = Image.new("RGB", (width, height))
    im.putdata(pixels)
    return im


def jpeg(im, **options):
    out = io.BytesIO()
    im.save(out, "JPEG", quality=90, **options)
    return out.getvalue()


def exif_that_turns():
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by 90 degrees
    return exif


def jpegs():
    im = photograph()
    cmyk = Image.merge("CMYK", (*im.split(), im.convert("L").point(lambda v: v // 2)))
    ppm = io.BytesIO()
    im.save(ppm, "PPM")
    yield "rgb_444.jpg", jpeg(im, subsampling="4:4:4")
    yield "rgb_422.jpg", jpeg(im, subsampling="4:2:2")
    yield "rgb_420.jpg", jpeg(im, subsampling="4:2:0")
    yield "rgb_stored.jpg", jpeg(im, keep_rgb=True)
    yield "progressive.jpg", jpeg(im, progressive=True)
    yield "restarts.jpg", jpeg(im, restart_marker_blocks=1)
    yield "turned.jpg", jpeg(im, exif=exif_that_turns())
    yield "grey.jpg", jpeg(im.convert("L"))
    yield "cmyk.jpg", jpeg(cmyk)
    # A subsampling that TurboJPEG has no name for.
    yield "rgb_410.jpg", subprocess.run(["cjpeg", "-sample", "4x2"], input=ppm.getvalue(),
                                        capture_output=True, check=True).stdout


# ---- PNG, written by hand: Pillow writes few of the kinds that it reads ----

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of each colour type
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def packed(values, depth):
    """A row of values of `depth` bits each, behind the filter byte 0 (none)."""
    bits = "".join(format(v, f"0{depth}b") for v in values)
    bits += "0" * (-len(bits) % 8)
    return b"\0" + bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def png(values, colour, depth, interlaced=False, extra=b""):
    """`values` of HEIGHT x WIDTH pixels, each a tuple of channels."""
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    rows = b"".join(packed([v for x in range(x0, WIDTH, dx) for v in values[y][x]], depth)
                    for x0, y0, dx, dy in passes for y in range(y0, HEIGHT, dy))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, interlaced)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows, 9)) +
            chunk(b"IEND", b""))


def pngs():
    rng = random.Random(2)
    names = {0: "grey", 2: "rgb", 3: "palette", 4: "grey_alpha", 6: "rgba"}
    for colour, depths in [(0, (1, 2, 4, 8, 16)), (2, (8, 16)), (3, (1, 2, 4, 8)), (4, (8, 16)), (6, (8, 16))]:
        for depth in depths:
            values = [[tuple(rng.randrange(1 << depth) for _ in range(CHANNELS[colour])) for _ in range(WIDTH)]
                      for _ in range(HEIGHT)]
            palette, transparent = b"", b""
            if colour == 3:
                colours = 1 << depth
                palette = chunk(b"PLTE", bytes(rng.randrange(256) for _ in range(3 * colours)))
                transparent = chunk(b"tRNS", bytes(rng.randrange(256) for _ in range((colours + 1) // 2)))
            elif colour in (0, 2):  # one value, or one colour, that is transparent
                transparent = chunk(b"tRNS", struct.pack(f">{CHANNELS[colour]}H", *values[0][0]))
            name = f"{names[colour]}_{depth}"
            yield f"{name}.png", png(values, colour, depth, extra=palette)
            yield f"{name}_interlaced.png", png(values, colour, depth, interlaced=True, extra=palette)
            if transparent:
                yield f"{name}_transparent.png", png(values, colour, depth, extra=palette + transparent)


# Of the many variants of the other formats; tests/parity/codecs_test.py compares them all.
SAMPLES = set("""
    pillow_rgb tiff_lzw_rgb tiff_adobe_deflate_grey_alpha packbits_palette group4 jpeg_rgb jpeg_grey ycbcr
    tiles_be_planes_8 strips_le_mixed_5 strip_le_planes_1 predictor_16 big few_1_0_le_1_1 few_4_3_be_1_8 few_2_1_be_2_8
    extra_0_rgb extra_1_rgb extra_2_0_rgb rgb_16_be cmyk_le int16_be float_le turned_2 turned_6
    palette_1_12 palette_4_40 palette_8_124 palette_short rgb_16_40 rgb_24_12 rgb_32_108 masks_16_f800_7e0_1f_40
    masks_32_ff_ff00_ff0000_ff000000_124 top_down_24 rle8_3 rle8_steps rle4_16
    binary text text_tight binary_15 binary_255 binary_65535 text_100 text_255 spaces
    lossless_rgb lossless_rgba stream_grey stream_grey_alpha lossy_rgb layers
    pillow_grey_1 pillow_transparent global_interlaced local no_palette few_bits border_transparent beyond
""".split())


ARRAYS = set("u1_little_0_C u1_little_3_C u1_little_3_F u2_little_4_C u2_big_1_F i2_little_0_C f2_little_3_C f4_little_1_C f8_big_0_C".split())


def seen(name, content):
    """The picture as RGB."""
    im = Image.open(io.BytesIO(content))
    if name.startswith("grey_16"):  # Pillow's convert("RGB") clips at 255; we scale to 8 bits
        assert im.mode.startswith("I"), name
        grey = Image.new("L", im.size)
        grey.putdata([(v * 255 + 32895) >> 16 for v in im.get_flattened_data()])
        im = grey
    return im.convert("RGB")


def main():
    cjpeg = subprocess.run(["cjpeg", "-version"], capture_output=True, text=True).stderr.split("(")[0].strip()
    print(f"# Pillow {PIL.__version__} libjpeg-turbo {features.version('libjpeg_turbo')} "
          f"libwebp {features.version('webp')} libtiff {features.version('libtiff')} zlib {zlib.ZLIB_RUNTIME_VERSION}; cjpeg of {cjpeg}")
    os.makedirs("samples", exist_ok=True)
    variants = [v for make in image_variants.ALL.values() for v in make(WIDTH, HEIGHT, random.Random(3))
                if make is image_variants.webp or v[0].split(".")[0] in SAMPLES]
    for name, content in [*jpegs(), *pngs(), *variants]:
        with open(f"samples/{name}", "wb") as file:
            file.write(content)
        im = seen(name, content)
        print(name, im.width, im.height, im.tobytes().hex())
    for name, content in image_variants.npy(WIDTH, HEIGHT, random.Random(4)):
        if name.split(".")[0] in ARRAYS:
            with open(f"samples/{name}", "wb") as file:
                file.write(content)


main()
