"""Formats of encoded images, told by their first bytes, and files of decoded pixels."""

import re
import struct
import zlib

_MAGIC = [
    (re.compile(rb"\xff\xd8\xff"), "jpg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "png"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "webp"),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), "tif"),
    (re.compile(rb"GIF8[79]a"), "gif"),
    # "BM", then, at 14, the size of one of the headers that there are.
    (re.compile(rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL), "bmp"),
    (re.compile(rb"P[14][\s#]"), "pbm"),
    (re.compile(rb"P[25][\s#]"), "pgm"),
    (re.compile(rb"P[36][\s#]"), "ppm"),
    (re.compile(rb"\x93NUMPY"), "npy"),
    (re.compile(rb"....ftypavi[fs]", re.DOTALL), "avif"),
    (re.compile(rb"....ftyp(hei|hev|mif1|msf1)", re.DOTALL), "heic"),
    (re.compile(rb"\0\0\0\x0cjP  \r\n|\xff\x4f\xff\x51"), "jp2"),
    (re.compile(rb"\0\0\0\x0cJXL |\xff\x0a"), "jxl"),
    (re.compile(rb"v/1\x01"), "exr"),
    (re.compile(rb"8BPS"), "psd"),
    (re.compile(rb".{128}DICM", re.DOTALL), "dcm"),
]


def ending_of(data):
    """The file name ending of an encoded image, without its dot; None for what is no image."""
    head = bytes(data[:160])
    for magic, ending in _MAGIC:
        if magic.match(head):
            return ending
    return None


class Picture:
    """An image of a source: `data` encoded, or None if there is none; what the source calls it; whether we encoded it."""

    __slots__ = ("data", "name", "decoded")

    def __init__(self, data, name=None, decoded=False):
        self.data, self.name, self.decoded = data, name, decoded


class NotAPicture(ValueError):
    """Says why pixels have no file."""


_COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}  # channels to PNG's colour types


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, channels, bits, pixels):
    """A PNG file of rows of big-endian pixels. One set of pixels has one file, whatever libraries are there."""
    pixels = bytes(pixels)
    row = (width * channels * bits + 7) // 8
    if width <= 0 or height <= 0 or len(pixels) != row * height:
        raise NotAPicture(f"{len(pixels)} bytes are not {height} x {width} pixels of {channels} x {bits} bits")
    rows = bytearray((row + 1) * height)  # each begins with its filter, 0
    for y in range(height):
        rows[y * (row + 1) + 1:(y + 1) * (row + 1)] = pixels[y * row:(y + 1) * row]
    header = struct.pack(">IIBBBBB", width, height, bits, _COLOURS[channels], 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(rows), 6)) +
            _chunk(b"IEND", b""))


def _swapped(data):
    swapped = bytearray(len(data))
    swapped[0::2], swapped[1::2] = data[1::2], data[0::2]
    return swapped


# TIFF's sample formats of the types of values that it has here and MoCo++ reads, and their bytes.
_SAMPLES = {"uint8": (1, 1), "uint16": (1, 2), "uint32": (1, 4), "int16": (2, 2), "int32": (2, 4), "float32": (3, 4)}
_STRIP_BYTES = 1 << 18
_MOST_CHANNELS = 64


def tiff(width, height, channels, dtype, pixels):
    """A TIFF file of rows of little-endian pixels, deflated, for what PNG does not have."""
    form, size = _SAMPLES[dtype]
    row = width * channels * size
    rows = max(1, min(height, _STRIP_BYTES // row))
    strips = [zlib.compress(pixels[y * row:(y + rows) * row], 6) for y in range(0, height, rows)]
    colours = 3 if channels in (3, 4) else 1
    at, places = 8, []
    for strip in strips:
        places.append(at)
        at += len(strip) + len(strip) % 2
    lengths = [len(strip) for strip in strips]
    tags = [(256, "I", [width]), (257, "I", [height]), (258, "H", [8 * size] * channels), (259, "H", [8]),
            (262, "H", [2 if colours == 3 else 1]), (273, "I", places), (277, "H", [channels]), (278, "I", [rows]),
            (279, "I", lengths), (284, "H", [1])]
    if channels > colours:
        tags.append((338, "H", [0] * (channels - colours)))
    tags.append((339, "H", [form] * channels))
    entries, values, after = b"", b"", at + 2 + 12 * len(tags) + 4
    for tag, kind, numbers in tags:
        packed = struct.pack(f"<{len(numbers)}{kind}", *numbers)
        entries += struct.pack("<HHI", tag, 3 if kind == "H" else 4, len(numbers))
        entries += packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack("<I", after + len(values))
        values += packed if len(packed) > 4 else b""
    return b"".join([b"II*\0", struct.pack("<I", at), *(strip + b"\0" * (len(strip) % 2) for strip in strips),
                     struct.pack("<H", len(tags)), entries, bytes(4), values])


def _layout(shape):
    """(height, width, channels, whether the channels are first). They are the last side if it is at most 4, or the first
    if that is, or else the smaller of both."""
    sides = list(shape)
    while len(sides) > 3 and sides[0] == 1:
        del sides[0]
    if len(sides) == 2:
        return *sides, 1, False
    if len(sides) == 3:
        first, last = sides[0], sides[2]
        if last > 4 and (first <= 4 or first < last) and 0 < first <= _MOST_CHANNELS:
            return sides[1], last, first, True
        if 0 < last <= _MOST_CHANNELS:
            return *sides, False
    raise NotAPicture(f"an array of shape {tuple(shape)} is no image of 1 to {_MOST_CHANNELS} channels")


def file_of_array(data, dtype, shape):
    """A PNG file, or for what PNG does not have a TIFF file, of rows x columns, x channels or channels x, in C order and
    little-endian."""
    height, width, channels, channels_first = _layout(shape)
    if dtype == "bool":
        data, dtype = bytes(data).translate(bytes([0]) + bytes([255]) * 255), "uint8"
    if dtype not in _SAMPLES:
        raise NotAPicture(f"there are no images of {dtype}; cast the arrays to one of {', '.join(_SAMPLES)} when writing the data "
                          "set")
    data, size = bytes(data), _SAMPLES[dtype][1]
    if min(height, width) < 1 or len(data) != channels * height * width * size:
        raise NotAPicture(f"{len(data)} bytes are not an array of {tuple(shape)} of {dtype}")
    if channels_first and channels > 1:
        plane, last = height * width * size, bytearray(len(data))
        for channel in range(channels):
            for byte in range(size):
                last[channel * size + byte::channels * size] = data[channel * plane + byte:(channel + 1) * plane:size]
        data = bytes(last)
    if dtype not in ("uint8", "uint16") or channels not in _COLOURS:
        return tiff(width, height, channels, dtype, data)
    return png(width, height, channels, 8 * size, _swapped(data) if size == 2 else data)


def png_of_pil(data):
    """Of what MosaicML's streaming and litdata store of a PIL image: width, height, the mode's length, mode, tobytes()."""
    if len(data) < 12:
        raise NotAPicture("it is cut")
    width, height, length = struct.unpack_from("<III", data)
    mode, pixels = bytes(data[12:12 + length]).decode("ascii", "replace"), data[12 + length:]
    if mode in ("L", "LA", "RGB", "RGBA"):
        return png(width, height, len(mode), 8, pixels)
    if mode == "1":
        return png(width, height, 1, 1, pixels)
    if mode == "I;16":
        return png(width, height, 1, 16, _swapped(bytes(pixels)))
    if mode == "I;16B":
        return png(width, height, 1, 16, pixels)
    if mode == "I":  # Pillow before 11.3 opened PNG files of 16 bits so
        pixels = bytes(pixels)
        if any(pixels[2::4]) or any(pixels[3::4]):
            raise NotAPicture("its mode is I, and its values do not fit 16 bits")
        narrow = bytearray(len(pixels) // 2)
        narrow[0::2], narrow[1::2] = pixels[1::4], pixels[0::4]
        return png(width, height, 1, 16, narrow)
    if mode == "P":
        raise NotAPicture("its mode is P, and the data set holds the palette's numbers without the palette: the colours "
                          "are lost; write the data set again from images after .convert('RGB')")
    raise NotAPicture(f"PNG has no pixels of mode {mode!r}; write the data set again from images after .convert('RGB')")
