"""Small images in every variant of the formats that data/codecs/ reads, beside JPEG and PNG.

Each function takes a width, a height and a generator of random numbers, and yields (name, contents of the file).
Variants that Pillow cannot write are written here.
"""

import io
import itertools
import struct
import zlib

import numpy as np
from PIL import Image


def photograph(width, height, rng, mode="RGB"):
    """Smooth colour with some noise, in two or four channels with alpha."""
    clip = lambda v: max(0, min(255, v + rng.randint(-20, 20)))
    pixels = [tuple(map(clip, (x * 12 % 256, y * 14 % 256, (255 - x * 6 - y * 7) % 256, 40 * ((x + y) % 7))))
              for y in range(height) for x in range(width)]
    im = Image.new("RGBA", (width, height))
    im.putdata(pixels)
    return im.convert(mode)


def noise(width, height, rng, mode="RGB"):
    bands = len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, (width, height), rng.randbytes(width * height * bands))


def saved(im, kind, **options):
    out = io.BytesIO()
    im.save(out, kind, **options)
    return out.getvalue()


def webp(width, height, rng):
    rgb, rgba = photograph(width, height, rng), photograph(width, height, rng, "RGBA")
    yield "lossy.webp", saved(rgb, "WEBP", quality=60)
    yield "lossy_alpha.webp", saved(rgba, "WEBP", quality=60)
    yield "lossy_alpha_lossy.webp", saved(rgba, "WEBP", quality=60, alpha_quality=20)
    yield "lossy_small.webp", saved(rgb, "WEBP", quality=0, method=6)
    yield "lossy_best.webp", saved(rgb, "WEBP", quality=100, method=0)
    yield "lossless.webp", saved(rgb, "WEBP", lossless=True)
    yield "lossless_noise.webp", saved(noise(width, height, rng), "WEBP", lossless=True, quality=0, method=0)
    yield "lossless_alpha.webp", saved(rgba, "WEBP", lossless=True, exact=True)
    yield "lossless_palette.webp", saved(rgb.quantize(11).convert("RGB"), "WEBP", lossless=True, method=6)
    yield "grey.webp", saved(rgb.convert("L"), "WEBP", lossless=True)
    yield "metadata.webp", saved(rgb, "WEBP", quality=80, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0", icc_profile=b"x" * 99)
    frames = [photograph(width, height, rng, "RGBA") for _ in range(3)]
    yield "animated.webp", saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], quality=70)
    yield "animated_opaque.webp", saved(rgb, "WEBP", save_all=True, lossless=True,
                                        append_images=[noise(width, height, rng)])
    # A first frame that leaves a border of the canvas.
    frame = saved(photograph(width, height, rng, "RGBA"), "WEBP", lossless=True, exact=True)
    yield "animated_border.webp", _webp_with_border(frame[12:], width, height)


def _webp_with_border(image_chunks, width, height):
    u24 = lambda v: v.to_bytes(3, "little")
    chunk = lambda kind, body: kind + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)
    frame = u24(1) + u24(2) + u24(width - 1) + u24(height - 1) + u24(100) + b"\0" + image_chunks
    body = (b"WEBP" + chunk(b"VP8X", b"\x12\0\0\0" + u24(width + 4) + u24(height + 6)) +
            chunk(b"ANIM", b"\xff\x80\x40\xff\0\0") + chunk(b"ANMF", frame))
    return chunk(b"RIFF", body)


# ---- TIFF ----

TIFF_TYPES = {"H": 3, "I": 4, "Q": 16}


def _packbits(data):
    out = bytearray()
    for at in range(0, len(data), 128):
        run = data[at:at + 128]
        out += bytes([257 - len(run), run[0]]) if len(set(run)) == 1 and len(run) > 1 else bytes([len(run) - 1]) + run
    return bytes(out)


def _lzw(data):
    """Without a table: the clear code comes before codes would grow to ten bits."""
    codes = []
    for at in range(0, len(data), 200):
        codes += [256, *data[at:at + 200]]
    bits = "".join(format(code, "09b") for code in codes + [257])
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _jpeg(data, shape):
    im = Image.fromarray(np.frombuffer(data, np.uint8).reshape(shape if shape[2] > 1 else shape[:2]))
    return saved(im, "JPEG", quality=80, **({"keep_rgb": True} if im.mode == "RGB" else {}))


COMPRESSIONS = {1: lambda data: data, 5: _lzw, 8: zlib.compress, 32773: _packbits, 32946: zlib.compress}


def _packed_rows(samples, bits, dtype, fill_order):
    """Rows of samples, each row in whole bytes."""
    if bits in (8, 16, 32, 64):
        rows = [row.astype(dtype).tobytes() for row in samples]
    else:
        rows = []
        for row in samples:
            text = "".join(format(v, f"0{bits}b") for v in row.ravel())
            text += "0" * (-len(text) % 8)
            rows.append(int(text, 2).to_bytes(len(text) // 8, "big"))
    data = b"".join(rows)
    return bytes(int(format(v, "08b")[::-1], 2) for v in data) if fill_order == 2 else data


def tiff_file(samples, bits=8, photometric=1, order="<", big=False, compression=1, planar=1, tile=None, rows_per_strip=None,
              sample_format=1, fill_order=1, predictor=1, extra=(), orientation=None, colours=None, pages=1, more=()):
    """A file with `samples` (rows x columns x samples); `tile` is (rows, columns)."""
    rows, cols, count = samples.shape
    kind = {1: "u", 2: "i", 3: "f"}[sample_format]
    dtype = f"{order}{kind}{max(bits, 8) // 8}" if bits in (8, 16, 32, 64) else None
    height, width = tile or (rows_per_strip or rows, cols)
    parts = []
    for plane in range(count if planar == 2 else 1):
        chosen = samples[:, :, plane:plane + 1] if planar == 2 else samples
        for y, x in itertools.product(range(0, rows, height), range(0, cols, width)):
            part = chosen[y:y + height, x:x + width]
            if tile:
                part = np.pad(part, ((0, height - part.shape[0]), (0, width - part.shape[1]), (0, 0)), "edge")
            if predictor == 2:
                part = part.astype(dtype)
                part[:, 1:] -= part[:, :-1].copy()
            if compression == 7:
                data = _jpeg(part.tobytes(), part.shape)
            else:
                data = _packed_rows(part, bits, dtype, fill_order)
                data = COMPRESSIONS[compression](data)
                if fill_order == 2 and compression != 1:  # the bits of what is stored are in the other order
                    data = COMPRESSIONS[compression](_packed_rows(part, bits, dtype, 1))
                    data = bytes(int(format(v, "08b")[::-1], 2) for v in data)
            parts.append(data)
    short, long = "H", "Q" if big else "I"
    tags = {256: (long, [cols]), 257: (long, [rows]), 258: (short, [bits] * count), 259: (short, [compression]),
            262: (short, [photometric]), 277: (short, [count]), 284: (short, [planar])}
    if fill_order != 1:
        tags[266] = (short, [fill_order])
    if predictor != 1:
        tags[317] = (short, [predictor])
    if sample_format != 1:
        tags[339] = (short, [sample_format] * count)
    if extra:
        tags[338] = (short, list(extra))
    if orientation:
        tags[274] = (short, [orientation])
    if colours:
        tags[320] = (short, colours)
    if tile:
        tags |= {322: (long, [width]), 323: (long, [height])}
    else:
        tags[278] = (long, [height])
    tags |= dict(more)
    offset_tag, size_tag = (324, 325) if tile else (273, 279)
    out = bytearray(b"II" if order == "<" else b"MM")
    out += struct.pack(order + ("HHHQ" if big else "HI"), *((43, 8, 0, 16) if big else (42, 8)))
    entry_size, word = (20, 8) if big else (12, 4)
    for page in range(pages):
        entries = len(tags) + 2
        directory = len(out)
        after = directory + (8 if big else 2) + entries * entry_size + word
        extra_data = bytearray()
        offsets, at = [], after
        for data in parts:
            offsets.append(at)
            at += len(data) + len(data) % 2
        payload = b"".join(data + b"\0" * (len(data) % 2) for data in parts)
        all_tags = tags | {offset_tag: (long, offsets), size_tag: (long, [len(data) for data in parts])}
        ifd = bytearray()
        for tag, (code, values) in sorted(all_tags.items()):
            value = struct.pack(f"{order}{len(values)}{code}", *values)
            if len(value) > word:
                position = after + len(payload) + len(extra_data)
                extra_data += value + b"\0" * (len(value) % 2)
                value = struct.pack(order + long, position)
            ifd += struct.pack(order + ("HHQ" if big else "HHI"), tag, TIFF_TYPES[code], len(values)) + value.ljust(word, b"\0")
        following = after + len(payload) + len(extra_data) if page + 1 < pages else 0
        out += struct.pack(order + ("Q" if big else "H"), entries) + ifd + struct.pack(order + long, following)
        out += payload + extra_data
    return bytes(out)


def tiff(width, height, rng):
    random = np.random.default_rng(rng.randrange(1 << 30))
    rgb, rgba = photograph(width, height, rng), photograph(width, height, rng, "RGBA")
    cmyk, grey = rgb.convert("CMYK"), rgb.convert("L")
    values = lambda bits, count=1: random.integers(0, 1 << bits, (height, width, count), np.uint64)
    array = lambda im: np.asarray(im).reshape(height, width, -1)
    # Written by Pillow, most by libtiff.
    for name, im in ("rgb", rgb), ("rgba", rgba), ("cmyk", cmyk), ("grey", grey), ("grey_alpha", rgba.convert("LA")), \
            ("bilevel", rgb.convert("1")), ("palette", rgb.quantize(16)):
        yield f"pillow_{name}.tif", saved(im, "TIFF")
        for compression in "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits", "lzma", "zstd":
            yield f"{compression}_{name}.tif", saved(im, "TIFF", compression=compression)
    for compression in "group3", "group4", "tiff_ccitt":
        yield f"{compression}.tif", saved(rgb.convert("1"), "TIFF", compression=compression)
    for name, im in ("rgb", rgb), ("grey", grey):
        yield f"jpeg_{name}.tif", saved(im, "TIFF", compression="jpeg", quality=70)
    yield "jpeg_cmyk.tif", saved(cmyk, "TIFF", compression="jpeg", quality=70)
    yield "ycbcr.tif", saved(rgb.convert("YCbCr"), "TIFF", compression="tiff_lzw")
    yield "pages_pillow.tif", saved(rgb, "TIFF", save_all=True, append_images=[grey], compression="tiff_lzw")
    # Strips, tiles and planes in each byte order and each compression.
    for order, planar, compression in itertools.product("<>", (1, 2), (1, 5, 8, 32773, 32946)):
        for name, parts in ("strip", {}), ("strips", {"rows_per_strip": 3}), ("tiles", {"tile": (16, 32)}):
            what = f"{name}_{'le' if order == '<' else 'be'}_{'planes' if planar == 2 else 'mixed'}_{compression}.tif"
            if compression == 1 and planar == 1 and name == "tiles" and width % 32:
                what = f"raw_{what}"
            yield what, tiff_file(array(rgb), photometric=2, order=order, planar=planar, compression=compression, **parts)
    for bits in 8, 16:
        yield f"predictor_{bits}.tif", tiff_file(values(bits, 3), bits, 2, compression=8, predictor=2, rows_per_strip=4)
    yield "big.tif", tiff_file(array(rgb), photometric=2, big=True, rows_per_strip=5)
    yield "big_tiles.tif", tiff_file(array(rgba), photometric=2, big=True, tile=(16, 16), compression=8, extra=[2])
    yield "pages.tif", tiff_file(array(rgb), photometric=2, pages=3)
    yield "jpeg_tiles.tif", tiff_file(array(rgb), photometric=2, tile=(16, 16), compression=7)
    yield "jpeg_planes.tif", tiff_file(array(rgb), photometric=2, planar=2, compression=7)
    # Grey and palettes of few bits.
    for bits, photometric, order, fill in itertools.product((1, 2, 4, 8), (0, 1, 3), "<>", (1, 2)):
        colours = [int(v) for v in random.integers(0, 1 << 16, 3 << bits)] if photometric == 3 else None
        for compression in 1, 8:
            if fill == 2 and compression == 1 and (photometric == 3 and bits < 8 or photometric == 0 and bits == 8):
                continue  # Pillow has these in its list of modes, and no reader of them
            name = f"few_{bits}_{photometric}_{'le' if order == '<' else 'be'}_{fill}_{compression}.tif"
            yield name, tiff_file(values(bits), bits, photometric, order, fill_order=fill, compression=compression,
                                  rows_per_strip=5, colours=colours)
    yield "int8.tif", tiff_file(values(7), 8, sample_format=2)
    # Samples behind the colours.
    for extra in (0,), (1,), (2,):
        yield f"extra_{extra[0]}_rgb.tif", tiff_file(array(rgba), photometric=2, extra=extra)
        yield f"extra_{extra[0]}_rgb_16.tif", tiff_file(values(16, 4), 16, 2, extra=extra)
        yield f"extra_{extra[0]}_rgb_lzw.tif", tiff_file(array(rgba), photometric=2, extra=extra, compression=5)
    yield "extra_0_grey.tif", tiff_file(values(8, 2), extra=(0,))
    yield "extra_2_grey.tif", tiff_file(values(8, 2), extra=(2,))
    yield "extra_none.tif", tiff_file(array(rgba), photometric=2)
    yield "extra_2_0_rgb.tif", tiff_file(values(8, 5), photometric=2, extra=(2, 0))
    yield "extra_0_0_0_rgb.tif", tiff_file(values(8, 6), photometric=2, extra=(0, 0, 0))
    yield "extra_1_0_rgb.tif", tiff_file(values(8, 5), photometric=2, extra=(1, 0), compression=8)
    colours = [int(v) for v in random.integers(0, 1 << 16, 3 << 8)]
    yield "extra_2_palette.tif", tiff_file(values(8, 2), photometric=3, extra=(2,), colours=colours)
    # More bits.
    for order in "<>":
        name = "le" if order == "<" else "be"
        yield f"rgb_16_{name}.tif", tiff_file(values(16, 3), 16, 2, order)
        yield f"rgb_16_{name}_lzw.tif", tiff_file(values(16, 3), 16, 2, order, compression=5)
        yield f"cmyk_{name}.tif", tiff_file(array(cmyk), photometric=5, order=order)
        yield f"cmyk_16_{name}.tif", tiff_file(values(16, 4), 16, 5, order)
        yield f"int16_{name}.tif", tiff_file(random.integers(-400, 400, (height, width, 1)), 16, order=order, sample_format=2)
        yield f"int32_{name}.tif", tiff_file(random.integers(-400, 400, (height, width, 1)), 32, order=order, sample_format=2)
        yield f"float_{name}.tif", tiff_file(random.uniform(-99, 400, (height, width, 1)), 32, order=order, sample_format=3)
    yield "uint32.tif", tiff_file(random.integers(0, 400, (height, width, 1)), 32)
    yield "float_deflate.tif", tiff_file(random.uniform(-99, 400, (height, width, 1)), 32, sample_format=3, compression=8)
    # Pillow turns TIFF.
    for orientation in range(1, 9):
        yield f"turned_{orientation}.tif", tiff_file(array(rgb), photometric=2, orientation=orientation)
        yield f"turned_{orientation}_lzw.tif", tiff_file(array(rgb), photometric=2, orientation=orientation, compression=5)
    yield "turned_ycbcr.tif", tiff_file(array(rgb.convert("YCbCr")), photometric=6, orientation=6, compression=8,
                                        more={530: ("H", [1, 1])})


# Of 16-bit grey, which Pillow clips: the values, and what they become.
def tiff_grey_16(width, height, rng):
    values = np.random.default_rng(rng.randrange(1 << 30)).integers(0, 1 << 16, (height, width, 1))
    for order, compression in itertools.product("<>", (1, 5)):
        yield f"grey_16_{'le' if order == '<' else 'be'}_{compression}.tif", tiff_file(values, 16, 1, order, compression=compression)


# ---- BMP ----


def bmp_file(rows, bits, width, height, header=40, compression=0, colours=b"", used=0, masks=(), top_down=False, offset=None,
             between=b""):
    """`rows`: the bytes of the pixels as they are stored; `colours`: of the palette; `between`: before the pixels."""
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IIiHHIIIIII", header, width, -height if top_down else height, 1, bits, compression, len(rows),
                           2835, 2835, used, 0)
        info += struct.pack(f"<{len(masks)}I", *masks)
        info = info[:max(header, 52 if masks else 0)].ljust(header, b"\0")
    start = 14 + len(info) + len(colours) + len(between)
    head = b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start if offset is None else offset)
    return head + info + colours + between + rows


def _bmp_rows(values, bits):
    """The rows from the bottom to the top, each padded to four bytes."""
    rows = b""
    for row in values[::-1]:
        data = _packed_rows(row[None, :, None], bits, f"<u{bits // 8}", 1) if bits in (1, 4, 8, 16, 32) else \
            b"".join(int(v).to_bytes(3, "little") for v in row)
        rows += data + b"\0" * (-len(data) % 4)
    return rows


def _rle8(values, rng):
    out = bytearray()
    for row in values[::-1]:
        row = [int(v) for v in row]
        while row:
            run = next((i for i, v in enumerate(row) if v != row[0]), len(row))
            if run > 1 or len(row) < 3 or rng.random() < 0.3:
                run = min(run, 255)
                out += bytes([run, row[0]])
            else:
                run = min(len(row), rng.randint(3, 9))
                out += bytes([0, run, *row[:run]]) + b"\0" * (run % 2)
            row = row[run:]
        out += b"\0\0"
    return bytes(out + b"\0\1")


def _rle4(values, rng):
    out = bytearray()
    pack = lambda run: bytes(a << 4 | b for a, b in itertools.zip_longest(run[::2], run[1::2], fillvalue=0))
    for row in values[::-1]:
        row = [int(v) for v in row]
        while row:
            if len(row) < 3 or rng.random() < 0.5:
                run = min(len(row), rng.randint(1, 9))
                pair = (row[:2] * 2)[:2]
                same = next((i for i, v in enumerate(row[:run]) if v != pair[i % 2]), run)
                out += bytes([same, *pack(pair)])
                row = row[same:]
            else:
                run = min(len(row), rng.randint(3, 12))
                data = pack(row[:run])
                out += bytes([0, run]) + data + b"\0" * (len(data) % 2)
                row = row[run:]
        out += b"\0\0"
    return bytes(out + b"\0\1")


def bmp(width, height, rng):
    random = np.random.default_rng(rng.randrange(1 << 30))
    values = lambda top: random.integers(0, top, (height, width), np.uint64)
    palette = lambda count, size=4: random.integers(0, 256, count * size, np.uint8).tobytes()
    rgb = photograph(width, height, rng)
    for name, im in ("rgb", rgb), ("grey", rgb.convert("L")), ("palette", rgb.quantize(99)), ("bilevel", rgb.convert("1")), \
            ("rgba", photograph(width, height, rng, "RGBA")):
        yield f"pillow_{name}.bmp", saved(im, "BMP")
    for header in 12, 40, 52, 56, 64, 108, 124:
        for bits in 1, 4, 8:
            colours = palette(1 << bits, 3 if header == 12 else 4)
            yield f"palette_{bits}_{header}.bmp", bmp_file(_bmp_rows(values(1 << bits), bits), bits, width, height, header,
                                                           colours=colours)
        for bits in (16, 24, 32) if header != 12 else (24,):
            yield f"rgb_{bits}_{header}.bmp", bmp_file(_bmp_rows(values(1 << bits), bits), bits, width, height, header)
    yield "palette_few.bmp", bmp_file(_bmp_rows(values(5), 8), 8, width, height, colours=palette(5), used=5)
    yield "palette_short.bmp", bmp_file(_bmp_rows(values(256), 8), 8, width, height, colours=palette(5), used=5)
    yield "palette_two.bmp", bmp_file(_bmp_rows(values(2), 1), 1, width, height, used=2,
                                      colours=b"\xff\xff\xff\0\0\0\0\0")
    yield "palette_grey.bmp", bmp_file(_bmp_rows(values(256), 8), 8, width, height,
                                       colours=bytes(v * (c < 3) for v in range(256) for c in range(4)))
    yield "offset_wrong.bmp", bmp_file(_bmp_rows(values(16), 4), 4, width, height, colours=palette(16), offset=54)
    yield "offset_zero.bmp", bmp_file(_bmp_rows(values(16), 4), 4, width, height, colours=palette(16), offset=0)
    yield "gap.bmp", bmp_file(_bmp_rows(values(1 << 24), 24), 24, width, height, between=b"x" * 37)
    yield "trailer.bmp", bmp_file(_bmp_rows(values(1 << 24), 24), 24, width, height) + b"x" * 37
    yield "no_padding.bmp", bmp_file(_bmp_rows(values(256), 8)[:-(-width % 4) or None], 8, width, height, colours=palette(256))
    for bits in 4, 8, 16, 24, 32:
        yield f"top_down_{bits}.bmp", bmp_file(_bmp_rows(values(1 << bits), bits), bits, width, height, top_down=True,
                                               colours=palette(1 << bits) if bits < 16 else b"")
    layouts = {16: [(0xF800, 0x7E0, 0x1F), (0x7C00, 0x3E0, 0x1F)], 24: [(0xFF0000, 0xFF00, 0xFF)],
               32: [(0xFF0000, 0xFF00, 0xFF, 0), (0xFF000000, 0xFF0000, 0xFF00, 0), (0xFF000000, 0xFF00, 0xFF, 0),
                    (0xFF000000, 0xFF0000, 0xFF00, 0xFF), (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
                    (0xFF0000, 0xFF00, 0xFF, 0xFF000000), (0xFF000000, 0xFF00, 0xFF, 0xFF0000), (0, 0, 0, 0)]}
    for bits, masks in ((bits, masks) for bits, all_masks in layouts.items() for masks in all_masks):
        name = f"masks_{bits}_{'_'.join(f'{m:x}' for m in masks)}"
        rows = _bmp_rows(values(1 << bits), bits)
        if len(masks) < 4 or masks[3] == 0:
            if any(masks):
                yield f"{name}_40.bmp", bmp_file(rows, bits, width, height, 40, 3, masks=masks[:3])
                yield f"{name}_52.bmp", bmp_file(rows, bits, width, height, 52, 3, masks=masks[:3])
        for header in 56, 108, 124:
            yield f"{name}_{header}.bmp", bmp_file(rows, bits, width, height, header, 3, masks=(*masks, 0)[:4])
    for colours in 3, 256:
        yield f"rle8_{colours}.bmp", bmp_file(_rle8(values(colours), rng), 8, width, height, compression=1, colours=palette(256))
    for colours in 2, 16:
        yield f"rle4_{colours}.bmp", bmp_file(_rle4(values(colours), rng), 4, width, height, compression=2, colours=palette(16))
    # Steps, rows that end early, runs that go beyond the row.
    if width > 4 and height > 4:
        rows = b"\2\5\0\2\1\1" + bytes([255, 7]) + b"\0\0\1\3\0\0" + b"\0\2\0\1\2\4\0\0"
        rows += b"".join(bytes([min(width, 255), y % 256, 0, 0]) for y in range(2 * height)) + b"\0\1"
        yield "rle8_steps.bmp", bmp_file(rows * (1 + width // 255), 8, width, height, compression=1, colours=palette(256))


# ---- PBM, PGM, PPM ----


def pnm(width, height, rng):
    random = np.random.default_rng(rng.randrange(1 << 30))
    rgb = photograph(width, height, rng)
    for name, im in ("rgb.ppm", rgb), ("grey.pgm", rgb.convert("L")), ("bilevel.pbm", rgb.convert("1")):
        yield f"pillow_{name}", saved(im, "PPM")
    spaces = [" ", "\n", "\t", "\r\n", "  ", " # a comment, 5\n", "\n#\n"]

    def text(values, between=None):
        return "".join(f"{v}{between or rng.choice(spaces)}" for v in values).rstrip("# a comment, 5\n\t\r")

    bits = random.integers(0, 2, (height, width))
    packed = b"".join(np.packbits(row).tobytes() for row in bits)
    yield "binary.pbm", f"P4\n{width} {height}\n".encode() + packed
    yield "binary_comment.pbm", f"P4\n# 1 2 3\n{width}#x\n {height}\n".encode() + packed
    yield "text.pbm", f"P1\n{width} {height}\n".encode() + b"\n".join(b" ".join(b"%d" % v for v in row) for row in bits) + b"\n"
    yield "text_tight.pbm", f"P1 {width} {height}\n".encode() + b"\n".join(b"".join(b"%d" % v for v in row) for row in bits) + b"\n"
    for kind, planes in (5, 1), (6, 3):
        suffix = "pgm" if planes == 1 else "ppm"
        for maximum in (1, 3, 15, 100, 127, 200, 254, 255) + ((256, 1023, 4095, 65534, 65535) if planes == 3 else ()):
            values = random.integers(0, maximum + 1, (height, width, planes))
            data = values.astype(">u2" if maximum > 255 else "u1").tobytes()
            yield f"binary_{maximum}.{suffix}", f"P{kind}\n{width} {height}\n{maximum}\n".encode() + data
            values = values.ravel()
            values[-1] %= 2  # whose only digit cannot be cut in two
            yield f"text_{maximum}.{suffix}", f"P{kind - 3}\n{width} {height}\n{maximum}\n{text(values)}\n".encode()
        yield f"above.{suffix}", f"P{kind}\n{width} {height}\n100\n".encode() + rng.randbytes(width * height * planes)
        yield f"trailer.{suffix}", f"P{kind}\n{width} {height}\n255\n".encode() + rng.randbytes(width * height * planes + 9)
        yield f"spaces.{suffix}", f"P{kind}\r#\r\n\t{width}\f#9\n{height} 255 ".encode() + rng.randbytes(width * height * planes)


# ---- GIF ----


def gif_file(indices, size, palette=b"", local=b"", at=(0, 0), transparent=None, interlaced=False, version=b"GIF89a", more=b"",
             after=b"", code_size=8):
    """`indices`: of the frame, rows x columns; `size` (columns, rows) and `at` (x, y): of and on the canvas."""
    flags = lambda colours: 0x80 | (len(colours) // 3).bit_length() - 2 if colours else 0
    out = version + struct.pack("<HHBBB", *size, flags(palette), 0, 0) + palette + more
    if transparent is not None:
        out += b"!\xf9\4" + struct.pack("<BHB", 1, 5, transparent) + b"\0"
    rows, cols = indices.shape
    out += b"," + struct.pack("<HHHHB", *at, cols, rows, flags(local) | 0x40 * interlaced) + local
    order = [y for begin, step in ((0, 8), (4, 8), (2, 4), (1, 2)) for y in range(begin, rows, step)] if interlaced else range(rows)
    data = b"".join(indices[y].astype(np.uint8).tobytes() for y in order)
    # Without a table: the clear code comes before codes would grow.
    clear, codes = 1 << code_size, []
    for begin in range(0, len(data), clear - 2):
        codes += [clear, *data[begin:begin + clear - 2]]
    bits = "".join(format(code, f"0{code_size + 1}b")[::-1] for code in codes + [clear + 1])
    bits += "0" * (-len(bits) % 8)
    packed = bytes(int(bits[i:i + 8][::-1], 2) for i in range(0, len(bits), 8))
    out += bytes([code_size]) + b"".join(bytes([len(packed[i:i + 255])]) + packed[i:i + 255] for i in range(0, len(packed), 255))
    return out + b"\0" + after + b";"


def gif(width, height, rng):
    random = np.random.default_rng(rng.randrange(1 << 30))
    indices = lambda top=256: random.integers(0, top, (height, width))
    palette = lambda count: random.integers(0, 256, 3 * count, np.uint8).tobytes()
    size, ramp = (width, height), bytes(v for v in range(256) for _ in range(3))
    rgb, rgba = photograph(width, height, rng), photograph(width, height, rng, "RGBA")
    for interlace in 0, 1:
        yield f"pillow_rgb_{interlace}.gif", saved(rgb, "GIF", interlace=interlace)
        yield f"pillow_grey_{interlace}.gif", saved(rgb.convert("L"), "GIF", interlace=interlace)
    yield "pillow_bilevel.gif", saved(rgb.convert("1"), "GIF")
    yield "pillow_rgba.gif", saved(rgba, "GIF")
    yield "pillow_transparent.gif", saved(rgb.quantize(50), "GIF", transparency=3)
    yield "pages_pillow.gif", saved(rgb, "GIF", save_all=True, append_images=[noise(width, height, rng)], duration=50)
    yield "global.gif", gif_file(indices(), size, palette(256))
    yield "global_interlaced.gif", gif_file(indices(), size, palette(256), interlaced=True)
    yield "local.gif", gif_file(indices(), size, palette(256), palette(256))
    yield "local_alone.gif", gif_file(indices(), size, local=palette(256))
    yield "no_palette.gif", gif_file(indices(), size)
    yield "ramp.gif", gif_file(indices(), size, ramp)
    yield "small_palette.gif", gif_file(indices(), size, palette(16))
    yield "few_bits.gif", gif_file(indices(4), size, palette(4), code_size=2)
    yield "old.gif", gif_file(indices(), size, palette(128), version=b"GIF87a")
    yield "transparent.gif", gif_file(indices(), size, palette(256), transparent=77)
    yield "transparent_none.gif", gif_file(indices(), size, transparent=77)
    yield "comment.gif", gif_file(indices(), size, palette(256), more=b"!\xfe\5hello\0!\xff\x0bNETSCAPE2.0\3\1\0\0\0")
    canvas = (width + 9, height + 5)
    yield "border.gif", gif_file(indices(), canvas, palette(256), at=(4, 3))
    yield "border_transparent.gif", gif_file(indices(), canvas, palette(256), at=(4, 3), transparent=9)
    yield "border_local.gif", gif_file(indices(), canvas, palette(256), palette(64), at=(9, 5), interlaced=True)
    yield "border_none.gif", gif_file(indices(), canvas, at=(0, 2))
    yield "beyond.gif", gif_file(indices(), (width // 2 + 1, height // 2 + 1), palette(256), at=(2, 1))
    yield "no_canvas.gif", gif_file(indices(), (0, 0), palette(256))
    yield "pages_cut.gif", gif_file(indices(), size, palette(256), after=b",\0\0")


# ---- JPEG 2000 ----


def jpeg2000(width, height, rng):
    rgb, rgba = photograph(width, height, rng), photograph(width, height, rng, "RGBA")
    few = {"num_resolutions": 1 + min(width, height).bit_length() // 2}
    for name, im in ("rgb", rgb), ("rgba", rgba), ("grey", rgb.convert("L")), ("grey_alpha", rgba.convert("LA")):
        yield f"lossless_{name}.jp2", saved(im, "JPEG2000", **few)
        yield f"stream_{name}.j2k", saved(im, "JPEG2000", no_jp2=True, **few)
        yield f"lossy_{name}.jp2", saved(im, "JPEG2000", irreversible=True, quality_mode="dB", quality_layers=[35], **few)
    yield "noise.jp2", saved(noise(width, height, rng), "JPEG2000", **few)
    yield "separate.jp2", saved(rgb, "JPEG2000", mct=0, **few)
    yield "layers.jp2", saved(rgb, "JPEG2000", quality_mode="rates", quality_layers=[8, 4, 2], progression="RPCL", **few)
    if width > 16 and height > 16:
        yield "tiles.jp2", saved(rgb, "JPEG2000", tile_size=(16, 16), num_resolutions=2)
    grey = np.random.default_rng(rng.randrange(1 << 30)).integers(0, 1 << 16, (height, width), np.uint16)
    yield "grey_16.jp2", saved(Image.fromarray(grey), "JPEG2000", **few)


# ---- NumPy's arrays, which Pillow does not know ----


def npy(width, height, rng):
    """Arrays of one image each, as numpy.save writes them: every type and order of values."""
    random = np.random.default_rng(rng.randrange(1 << 30))
    for kind, endian, channels, order in itertools.product(("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"), "<>",
                                                           (0, 1, 2, 3, 4, 5, 64), "CF"):
        if channels > 4 and height <= 4:  # as few rows are taken for channels
            continue
        shape = (height, width, channels)[:2 + (channels > 0)]
        if kind[0] == "f":
            values = random.normal(0, 1000, shape)
        else:
            values = random.integers(np.iinfo(kind).min, np.iinfo(kind).max, shape, kind, endpoint=True)
        out = io.BytesIO()
        np.save(out, np.asarray(values, endian + kind, order=order))
        yield f"{kind}_{'big' if endian == '>' else 'little'}_{channels}_{order}.npy", out.getvalue()


ALL = {"webp": webp, "tiff": tiff, "bmp": bmp, "pnm": pnm, "gif": gif, "jpeg2000": jpeg2000}
