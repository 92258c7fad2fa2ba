"""Photographs that are odd or damaged, live: what Pillow reads, and what is refused.

    photos_test.py DECODE_FILES [FILE...]

The photographs are the JPEG files given, or else mosaics of the demo's images. Each is written in several ways
(baseline, optimised tables, grey, CMYK, progressive, with restart intervals), then

- made odd, as firmware, editors and transfers do, with all pixels there: it must give the pixels that Pillow gives, or,
  where Pillow refuses (no end mark), those of the plain file;
- cut at 50 places within its pixels, plain, with an end mark, with zeros in place of the rest, and with both; and a part
  of it zeroed: all must be refused. (A part that is taken out is not always seen; its share is printed.)
- turned by each Exif orientation, and compared with ImageOps.exif_transpose.
"""

import collections
import io
import pathlib
import random
import struct
import subprocess
import sys
import tarfile
import zlib

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin

CUTS = 50


class Ours:
    """The C++ side: an array, or why there is none."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, file, exif="ignore"):
        self.process.stdin.write(f"{len(file)} 3 {exif}\n".encode() + file)
        self.process.stdin.flush()
        rows, cols, channels, *why = self.process.stdout.readline().decode().strip().split(" ", 3)
        if rows == "0":
            return why[0]
        pixels = self.process.stdout.read(int(rows) * int(cols) * int(channels))
        return np.frombuffer(pixels, np.uint8).reshape(int(rows), int(cols), int(channels))


def pillow(file, turn=False):
    im = Image.open(io.BytesIO(file))
    return np.asarray((ImageOps.exif_transpose(im) if turn else im).convert("RGB"))


def written(im, kind="JPEG", **options):
    out = io.BytesIO()
    im.save(out, kind, **options)
    return out.getvalue()


def photographs(files):
    """The pictures, at most 400 pixels wide."""
    if not files:
        images = []
        for shard in sorted(pathlib.Path("data/demo").glob("*/*.tar")):
            with tarfile.open(shard) as tar:
                images += [tar.extractfile(member).read() for member in tar if member.isfile()]
        for start in range(0, 240, 60):
            mosaic = Image.new("RGB", (317, 189))
            for i, image in enumerate(images[start:start + 60]):
                mosaic.paste(Image.open(io.BytesIO(image)).convert("RGB"), (i % 10 * 32, i // 10 * 32))
            yield mosaic
    for file in files:
        im = Image.open(file).convert("RGB")
        im.thumbnail((400, 400))
        yield im


def ways(im):
    """Files of a picture by name; all have several restart intervals or scans where they have any."""
    grey = im.convert("L")
    yield "baseline", written(im, quality=90)
    yield "optimised", written(im, quality=75, optimize=True)
    yield "grey", written(grey, quality=85)
    yield "cmyk", written(Image.merge("CMYK", (*im.split(), grey.point(lambda v: v // 2))), quality=85)
    yield "4:4:4", written(im, quality=80, subsampling=0)
    yield "restarts", written(im, quality=85, restart_marker_rows=1)
    yield "short restarts", written(im, quality=85, restart_marker_blocks=5)
    yield "progressive", written(im, quality=85, progressive=True)
    yield "progressive restarts", written(im, quality=85, progressive=True, restart_marker_blocks=7)


def segments(file):
    """(marker, begin, end) of the segments before the first scan's data; the scan's header is the last."""
    at = 2
    while True:
        marker, size = file[at + 1], struct.unpack(">H", file[at + 2:at + 4])[0]
        yield marker, at, at + 2 + size
        at += 2 + size
        if marker == 0xDA:
            return


def scans(file):
    """Where each scan's header begins, and the end mark."""
    places, at = [], 2
    while at < len(file):
        marker = file[at + 1]
        if marker == 0xD9:
            return [*places, at]
        if marker == 0xDA:
            places.append(at)
        at += 2 + struct.unpack(">H", file[at + 2:at + 4])[0]
        if marker == 0xDA:
            while file[at] != 0xFF or file[at + 1] == 0 or 0xD0 <= file[at + 1] <= 0xD7:
                at += 1
    raise ValueError("no end mark")


def app(number, contents):
    return bytes((0xFF, 0xE0 + number)) + struct.pack(">H", len(contents) + 2) + contents


def odd(name, file, rng):
    """(oddity, file): whole files, as the warnings of libjpeg-turbo's jerror.h name them, and others."""
    places = {}
    for marker, begin, end in segments(file):
        places.setdefault(marker, (begin, end))
    scan, data = places[0xDA]
    frame = next(places[m][0] for m in (0xC0, 0xC1, 0xC2) if m in places)
    body, progressive = file[:-2], 0xC2 in places
    noise = rng.randbytes(3000)
    no_ff = noise.replace(b"\xff", b"\xfe")

    def at(place, *new, instead=0):
        return file[:place] + b"".join(new) + file[place + instead:]

    if not progressive:
        # JWRN_NOT_SEQUENTIAL: odd scan headers.
        for values in (b"\0\0\0", b"\0\x3e\0", b"\1\x3f\0", b"\0\x3f\x11", b"\0\xff\0", b"\x3f\0\xff"):
            yield "scan header", at(data - 3, values, instead=3)
    if 0xE0 in places:
        # JWRN_JFIF_MAJOR.
        for version in (b"\2\1", b"\0\0", b"\xff\xff"):
            yield "JFIF version", at(places[0xE0][0] + 9, version, instead=2)
        yield "JFIF thumbnail size", at(places[0xE0][0] + 16, b"\5\5", instead=2)
        yield "JFIF density", at(places[0xE0][0] + 11, b"\7\0\0\0\0", instead=5)
        yield "without JFIF", at(places[0xE0][0], instead=places[0xE0][1] - places[0xE0][0])
        yield "JFIF cut short", at(places[0xE0][0], app(0, b"JFIF\0"), instead=18)
    # JWRN_ADOBE_XFORM.
    if name == "cmyk":
        transform = places[0xEE][1] - 1
        for value in (0, 1, 3, 255):
            yield "Adobe transform", at(transform, bytes((value,)), instead=1)
        yield "without Adobe", at(places[0xEE][0], instead=places[0xEE][1] - places[0xEE][0])
    else:
        for value in (0, 1, 2, 7, 255):
            adobe = app(14, b"Adobe\0\x64\0\0\0\0" + bytes((value,)))
            yield "Adobe transform", at(2, adobe)
            if 0xE0 in places:
                yield "Adobe transform, without JFIF", at(2, adobe, instead=18)
        yield "Adobe cut short", at(2, app(14, b"Adobe\0"))
    # JWRN_EXTRANEOUS_DATA: bytes before a marker.
    for stuffing in (b"\0", b"\0" * 17, b"\xff" * 5, b"\x55" * 300, no_ff[:1], no_ff[:7], no_ff, b"\xff\0" * 9):
        for place in (places[0xE0][1] if 0xE0 in places else frame, frame, scan, len(body)):
            yield "bytes before a marker", at(place, stuffing)
    # JWRN_JPEG_EOF, and what comes in the place of the end.
    yield "no end mark", body
    yield "half an end mark", file[:-1]
    for count in (1, 2, 3, 8, 60, 600, 5000):
        yield "no end mark, zeros", body + bytes(count)
        yield "zeros, end mark", body + bytes(count) + b"\xff\xd9"
        yield "end mark, zeros", file + bytes(count)
    yield "no end mark, text", body + b"the end"
    yield "no end mark, another image", body + file
    yield "trailer", file + noise
    yield "Samsung's trailer", file + b"\0\0\1\x0aImage_UTC_Data1700000000000SEFH" + bytes(20) + b"SEFT"
    yield "two images", file + file
    yield "fill before the end mark", body + b"\xff" * 40 + b"\xff\xd9"
    # JWRN_BOGUS_ICC, and other segments that matter to no pixel.
    yield "profile", at(2, app(2, b"ICC_PROFILE\0\3\1nonsense"))
    yield "profiles", at(2, app(2, b"ICC_PROFILE\0\2\2xx"), app(2, b"ICC_PROFILE\0\2\2xx"))
    yield "comments", at(2, b"\xff\xfe\0\2", b"\xff\xfe\0\6abcd")
    yield "empty segments", at(2, *(app(i, b"") for i in (1, 2, 3, 13, 15)))
    yield "Exif nonsense", at(2, app(1, b"Exif\0\0nonsense"))
    yield "tables twice", at(frame, *(file[begin:end] for marker, begin, end in segments(file) if marker == 0xDB))
    if len(scans(file)) == 2 and 0xDD not in places:
        # JWRN_MUST_RESYNC has no harmless kind without restart intervals; an interval that never ends is one.
        yield "restart interval of 65535", at(frame, b"\xff\xdd\0\4\xff\xff")
        yield "restart interval of 0", at(frame, b"\xff\xdd\0\4\0\0")
    if 0xDD in places and len(scans(file)) == 2:
        # JWRN_MUST_RESYNC: intervals whose numbers are off, but which are all there.
        numbered, count = bytearray(file), 0
        for i in range(data, len(file) - 2):
            if file[i] == 0xFF and 0xD0 <= file[i + 1] <= 0xD7:
                numbered[i + 1] = 0xD0 + (count + 4) % 8
                count += 1
        yield "restart numbers", bytes(numbered)
        first = next(i for i in range(data, len(file)) if file[i] == 0xFF and 0xD0 <= file[i + 1] <= 0xD7)
        for stuffing in (b"\0\0", b"\xff" * 3, no_ff[:9]):
            yield "bytes before a restart", at(first, stuffing)
    if progressive:
        # JWRN_BOGUS_PROGRESSION, and scans that were never written.
        *starts, end = scans(file)
        yield "a scan twice", file[:starts[1]] + file[starts[0]:starts[1]] + file[starts[1]:]


def harmed(file, rng):
    """(harm, file): pixels are missing."""
    *starts, end = scans(file)
    data = next(e for marker, _, e in segments(file) if marker == 0xDA)
    for i in range(CUTS):
        # Not in the last bytes: they may hold nothing but padding, or be zeros.
        place = data + 1 + (end - 8 - data) * i // CUTS
        rest = len(file) - place
        yield "cut", file[:place]
        yield "cut, end mark", file[:place] + b"\xff\xd9"
        yield "cut, zeros", file[:place] + bytes(rest)
        yield "cut, more zeros", file[:place] + bytes(rest + 60000)
        yield "cut, zeros, end mark", file[:place] + bytes(rest - 2) + b"\xff\xd9"
        yield "cut, trailer", file[:place] + b"\0\0\1\x0aSEFH" + bytes(20) + b"SEFT"
        yield "cut, another image", file[:place] + file
        size = rng.choice((64, 512, 2048))
        if end - data > 3 * size:
            begin = rng.randrange(data, end - size)
            yield f"{size} bytes zeroed", file[:begin] + bytes(size) + file[begin + size:]
            yield f"{size} bytes taken out", file[:begin] + file[begin + size:]


    for start, further in zip(starts, starts[1:]):
        yield "scans missing, end mark", file[:further] + b"\xff\xd9"
        yield "scans missing", file[:further]
        yield "a scan missing", file[:start] + file[further:]


def chunk(kind, contents):
    return struct.pack(">I", len(contents)) + kind + contents + struct.pack(">I", zlib.crc32(kind + contents))


def odd_pngs(im):
    file = written(im, "PNG")
    end = len(file) - 12
    yield "no end", file[:end]
    yield "no end, no checksum", file[:end - 4]
    yield "half an end", file[:end + 5]
    yield "end's checksum", file[:-1] + b"\0"
    yield "trailer", file + b"trailer" * 50
    yield "another image", file + file
    yield "zeros for the end", file[:end] + bytes(12)
    yield "nonsense for the end", file[:end] + bytes(range(1, 9)) * 9
    yield "text, unpackable", file[:33] + chunk(b"zTXt", b"Comment\0\0nonsense") + file[33:]
    yield "text behind", file[:end] + chunk(b"tEXt", b"Comment\0x") + file[end:]
    yield "checksum of a text behind", file[:end] + chunk(b"tEXt", b"Comment\0x")[:-1] + b"\0" + file[end:]
    yield "unknown chunk", file[:33] + chunk(b"prVt", b"private") + file[33:]
    yield "empty pixels chunk", file[:end] + chunk(b"IDAT", b"") + file[end:]
    yield "profile", file[:33] + chunk(b"iCCP", b"icc\0\0" + zlib.compress(b"nonsense")) + file[33:]


def harmed_pngs(im):
    file = written(im, "PNG", compress_level=9)
    pixels = file.index(b"IDAT") + 4
    size = struct.unpack(">I", file[pixels - 8:pixels - 4])[0]
    for i in range(CUTS):
        place = pixels + (size - 16) * i // CUTS
        yield "cut", file[:place]
        yield "cut, end", file[:place] + chunk(b"IEND", b"")
        yield "cut, zeros", file[:place] + bytes(len(file) - place)
        yield "cut, whole chunks", file[:pixels - 8] + chunk(b"IDAT", file[pixels:place]) + chunk(b"IEND", b"")
        yield "a byte changed", file[:place] + bytes((file[place] ^ 8,)) + file[place + 1:]


def exif_of(orientation, order="<", kind=3, count=1, further=True):
    """Exif metadata with the tag Orientation."""
    value = {1: "B3x", 3: "H2x", 4: "I", 9: "i"}[kind]
    entries = [struct.pack(f"{order}HHI4x", 0x0100, 3, 1)] if further else []
    entries.append(struct.pack(f"{order}HHI{value}", 0x0112, kind, count, orientation))
    header = b"II*\0" if order == "<" else b"MM\0*"
    return header + struct.pack(f"{order}IH", 8, len(entries)) + b"".join(entries) + bytes(4)


XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="%d"/></x:xmpmeta>'


def turned(im):
    jpeg, png = written(im, quality=90), written(im, "PNG")
    for orientation in range(1, 9):
        for options in ({"exif": exif_of(orientation)}, {"exif": b"Exif\0\0" + exif_of(orientation)},
                        {"xmp": (XMP % orientation).encode()}):
            yield "WebP", written(im, "WEBP", lossless=True, **options)
    for orientation in (*range(10), 200):
        for order in "<>":
            for kind in (1, 3, 4, 9):
                exif = exif_of(orientation, order, kind, further=kind != 3)
                yield "JPEG", jpeg[:2] + app(1, b"Exif\0\0" + exif) + jpeg[2:]
                yield "PNG", png[:33] + chunk(b"eXIf", exif) + png[33:]
            exif = exif_of(orientation, order)
            yield "JPEG in two segments", jpeg[:2] + app(1, b"Exif\0\0" + exif[:20]) + app(
                1, b"Exif\0\0" + exif[20:]) + jpeg[2:]
            yield "PNG behind the pixels", png[:-12] + chunk(b"eXIf", exif) + png[-12:]
            profile = f"\nexif\n{len(exif) + 6:8}\n{(b'Exif' + bytes(2) + exif).hex()}\n".encode()
            for packed in (chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile)),
                           chunk(b"tEXt", b"Raw profile type exif\0" + profile)):
                yield "PNG profile", png[:33] + packed + png[33:]
        if orientation > 9:
            continue
        xmp = (XMP % orientation).encode()
        yield "JPEG XMP", jpeg[:2] + app(1, b"http://ns.adobe.com/xap/1.0/\0" + xmp) + jpeg[2:]
        for packed in (b"\0\0\0\0" + xmp, b"\1\0en\0x\0" + zlib.compress(xmp)):
            yield "PNG XMP", png[:33] + chunk(b"iTXt", b"XML:com.adobe.xmp\0" + packed) + png[33:]
        both = app(1, b"http://ns.adobe.com/xap/1.0/\0" + xmp) + app(1, b"Exif\0\0" + exif_of(6))
        yield "JPEG XMP and Exif", jpeg[:2] + both + jpeg[2:]
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "x", zip=True)
    yield "PNG, Pillow's", written(im, "PNG", exif=b"Exif\0\0" + exif_of(8), pnginfo=info)
    yield "JPEG, Pillow's", written(im, quality=90, exif=b"Exif\0\0" + exif_of(5))


def main():
    ours, rng = Ours(sys.argv[1]), random.Random(0)
    oddities, refusals, turns = (collections.defaultdict(collections.Counter) for _ in range(3))
    failures = []

    def read(what, kind, file, theirs):
        image = ours(file)
        same = not isinstance(image, str) and image.shape == theirs.shape and (image == theirs).all()
        oddities[what]["equal" if same else "not"] += 1
        if not same:
            failures.append(f"{kind}, {what}: {image if isinstance(image, str) else 'other pixels'}")

    def refused(what, kind, file):
        message = ours(file)
        no = isinstance(message, str)
        refusals[what]["refused" if no else "read"] += 1
        if not no and "taken out" not in what:
            failures.append(f"{kind}, {what}: read")

    for im in photographs(sys.argv[2:]):
        for kind, file in ways(im):
            read("plain", kind, file, pillow(file))
            for what, changed in odd(kind, file, rng):
                try:
                    theirs = pillow(changed)
                except OSError:
                    theirs = pillow(file)
                    oddities[what]["refused by Pillow"] += 1
                read(what, kind, changed, theirs)
            for what, changed in harmed(file, rng):
                refused(what, kind, changed)
        for mode in ("RGB", "P", "L"):
            for what, changed in odd_pngs(im.convert(mode)):
                read(f"PNG: {what}", mode, changed, pillow(changed))
            for what, changed in harmed_pngs(im.convert(mode)):
                refused(f"PNG: {what}", mode, changed)
    small = next(photographs([])).crop((5, 3, 64, 44))
    for what, file in turned(small):
        image, theirs = ours(file, "apply"), pillow(file, turn=True)
        same = not isinstance(image, str) and image.shape == theirs.shape and (image == theirs).all()
        turns[what]["equal" if same else "not"] += 1
        if not same:
            failures.append(f"turned, {what}")
    for title, table in (("read", oddities), ("damaged", refusals), ("turned", turns)):
        total = sum(table.values(), collections.Counter())
        print(f"{title}: {dict(total)}")
        for what, counts in sorted(table.items()):
            print(f"    {what}: {dict(counts)}")
    if failures or not oddities:
        sys.exit("\n".join([*failures[:40], f"{len(failures)} failures"]))


main()
