"""Formats of encoded images, told by their first bytes, and PNG files of decoded arrays."""

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
    """Says why an array has no PNG file."""


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


def png_of_array(data, dtype, shape):
    """Of rows x columns, x channels or channels x, in C order: uint8, bool or little-endian uint16."""
    sides = list(shape)
    while len(sides) > 3 and sides[0] == 1:
        del sides[0]
    channels_first = len(sides) == 3 and sides[2] not in _COLOURS and sides[0] in _COLOURS
    if channels_first:
        channels, height, width = sides
    elif len(sides) == 3 and sides[2] in _COLOURS:
        height, width, channels = sides
    elif len(sides) == 2:
        (height, width), channels = sides, 1
    else:
        raise NotAPicture(f"an array of shape {tuple(shape)} is no image of 1 to 4 channels")
    if dtype not in ("uint8", "uint16", "bool"):
        raise NotAPicture(f"PNG has no pixels of {dtype}; cast the arrays to uint8 or uint16 when writing the data set")
    size = 2 if dtype == "uint16" else 1
    data = bytes(data)
    if len(data) != channels * height * width * size:
        raise NotAPicture(f"{len(data)} bytes are not an array of {tuple(shape)} of {dtype}")
    if dtype == "bool":
        data = data.translate(bytes([0]) + bytes([255]) * 255)
    if channels_first and channels > 1:
        plane, last = height * width * size, bytearray(len(data))
        for channel in range(channels):
            for byte in range(size):
                last[channel * size + byte::channels * size] = data[channel * plane + byte:(channel + 1) * plane:size]
        data = last
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
