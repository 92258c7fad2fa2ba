#!/usr/bin/env bash
# Pillow 13.0.0 makes other pixels transparent than a PNG file of 2 or 4 bits of grey says.
#
# The chunk tRNS holds the grey value that is transparent, in the file's own bits. Pillow multiplies the pixels to 8 bits
# (by 85, or by 17), but not the value, so that in a file of 2 bits with the transparent value 1 the pixels of value 1
# (85) stay opaque. With 8 bits, and with 1, the right ones are transparent.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0
"$folder/venv/bin/python" - <<'PYTHON'
import io
import struct
import zlib

import PIL
from PIL import Image


def chunk(kind, contents):
    return struct.pack(">I", len(contents)) + kind + contents + struct.pack(">I", zlib.crc32(kind + contents))


def alpha(bits):
    """Of the values 0, 1, 2, 3 (0, 1 with 1 bit), where 1 is transparent."""
    values = [0, 1, 2, 3][:2**bits]
    row = int("".join(f"{value:0{bits}b}" for value in values).ljust(8, "0"), 2)
    row = row.to_bytes(max(1, len(values) * bits // 8), "big")
    file = (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", len(values), 1, bits, 0, 0, 0, 0)) +
            chunk(b"tRNS", struct.pack(">H", 1)) + chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b""))
    return list(Image.open(io.BytesIO(file)).convert("RGBA").getchannel("A").tobytes())


found = {bits: alpha(bits) for bits in (1, 2, 4, 8)}
print(f"Pillow {PIL.__version__}: alpha of the values 0, 1, 2, 3 where 1 is transparent, by bits: {found}")
assert PIL.__version__ == "13.0.0"
assert found == {1: [255, 0], 2: [255] * 4, 4: [255] * 4, 8: [255, 0, 255, 255]}
PYTHON
