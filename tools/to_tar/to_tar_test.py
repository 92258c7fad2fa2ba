#!/usr/bin/env python3
"""//tools:to_tar with inputs that need no package, and its errors. tests/parity has what the real packages write."""

import contextlib
import bz2
import gzip
import importlib.util
import io
import json
import os
import pathlib
import pickle
import resource
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
import zlib

TOOL = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(TOOL))

import pickles
import pictures
import read_lmdb
from faults import Fault

JPEG = b"\xff\xd8\xff\xe0 the rest of a JPEG file "


def run(*args, code=0, **options):
    """-s and -E: no package of the user's."""
    done = subprocess.run([sys.executable, "-sE", TOOL, *args], capture_output=True, text=True, **options)
    if done.returncode != code:
        raise AssertionError(f"exit code {done.returncode}, not {code}: {done.stdout}{done.stderr}")
    return done.stdout if code == 0 else done.stderr


def mds(folder, columns, rows, shards=1, pack=None):
    """A data set of MosaicML's streaming; `columns`: name to (encoding, size); `rows`: lists of bytes."""
    folder.mkdir(parents=True)
    listed, names = [], sorted(columns)
    for shard in range(shards):
        own = rows[shard * len(rows) // shards:(shard + 1) * len(rows) // shards]
        samples = [b"".join(struct.pack("<I", len(row[name])) for name in names if columns[name][1] is None)
                   + b"".join(row[name] for name in names) for row in own]
        at, offsets = 8 + 4 * len(own) + 2, []
        for sample in samples:
            offsets.append(at)
            at += len(sample)
        data = struct.pack(f"<{len(own) + 2}I", len(own), *offsets, at) + b"{}" + b"".join(samples)
        base = f"shard.{shard:05}.mds"
        ending, packed = (f".{pack}", {"gz": gzip.compress, "bz2": bz2.compress}[pack](data)) if pack else ("", data)
        (folder / (base + ending)).write_bytes(packed)
        listed.append({"column_names": names, "column_encodings": [columns[name][0] for name in names],
                       "column_sizes": [columns[name][1] for name in names], "compression": pack, "format": "mds", "hashes": [],
                       "raw_data": {"basename": base, "bytes": len(data), "hashes": {}}, "samples": len(own),
                       "size_limit": 1, "version": 2,
                       "zip_data": {"basename": base + ending, "bytes": len(packed), "hashes": {}} if pack else None})
    (folder / "index.json").write_text(json.dumps({"shards": listed, "version": 2}))
    return folder


def number(value):
    return struct.pack("<q", value)


def jpegs(folder, labels=range(12), **options):
    rows = [{"x": JPEG + b"%d" % i, "y": number(label)} for i, label in enumerate(labels)]
    return mds(folder, {"x": ("jpeg", None), "y": ("int", 8)}, rows, **options)


def samples(out):
    """{key: {ending: contents}} of the shards of a folder, in their order."""
    found = {}
    for path in sorted(out.glob("*.tar")):
        with tarfile.open(path) as tar:
            for entry in tar:
                assert (entry.mtime, entry.uid, entry.gid, entry.uname, entry.mode) == (0, 0, 0, "", 0o644), entry
                key, ending = entry.name.rsplit(".", 1)
                found.setdefault(key, {})[ending] = tar.extractfile(entry).read()
    return found


def pixels(png):
    """(width, height, bits, colour type, rows) of a PNG file without filters."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(png):
        size, kind = struct.unpack_from(">I4s", png, at)
        chunks[kind] = png[at + 8:at + 8 + size]
        assert struct.unpack_from(">I", png, at + 8 + size)[0] == zlib.crc32(kind + chunks[kind])
        at += 12 + size
    width, height, bits, colours = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    raw = zlib.decompress(chunks[b"IDAT"])
    row = len(raw) // height
    assert all(raw[y * row] == 0 for y in range(height))
    return width, height, bits, colours, b"".join(raw[y * row + 1:(y + 1) * row] for y in range(height))


def tiff(file):
    """(tags, all strips)."""
    assert file[:4] == b"II*\0"
    at, tags = struct.unpack_from("<I", file, 4)[0], {}
    for i in range(struct.unpack_from("<H", file, at)[0]):
        tag, kind, count = struct.unpack_from("<HHI", file, at + 2 + 12 * i)
        code = f"<{count}{'H' if kind == 3 else 'I'}"
        place = at + 10 + 12 * i
        if struct.calcsize(code) > 4:
            place = struct.unpack_from("<I", file, place)[0]
        assert tag > max(tags, default=0) and place % 2 == 0
        tags[tag] = list(struct.unpack_from(code, file, place))
    strips = [zlib.decompress(file[at:at + size]) for at, size in zip(tags[273], tags[279])]
    assert len(strips) == -(-tags[257][0] // tags[278][0])
    return tags, b"".join(strips)


class ToTarTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.out = self.root / "out"

    def refused(self, code, *args, named=(), **options):
        """The program ends with `code` and one line, and leaves nothing."""
        before = sorted(self.root.iterdir())
        said = run(*args, code=code, **options)
        self.assertEqual(said.count("\n"), 1, said)
        self.assertTrue(said.startswith("error: "), said)
        for name in named:
            self.assertIn(name, said)
        self.assertEqual(sorted(self.root.iterdir()), before)

    def test_bytes_labels_and_order_are_kept(self):
        jpegs(self.root / "data", labels=[2, 0, -1, 11] * 3, shards=3)
        self.assertIn("no label: 3 images", run(self.root / "data", self.out))
        found = samples(self.out)
        self.assertEqual(list(found), sorted(found))
        self.assertEqual([sample["jpg"] for sample in found.values()], [JPEG + b"%d" % i for i in range(12)])
        self.assertEqual([sample.get("cls") for sample in found.values()], [b"2", b"0", None, b"11"] * 3)
        self.assertEqual(sorted(path.name for path in self.out.iterdir()), ["shard-000000.tar"])

    def test_names_and_further_columns(self):
        rows = [{"file": f"a.b/é {i}.v1.jpg".encode(), "image": JPEG, "label": number(i), "caption": "é".encode()}
                for i in range(3)]
        mds(self.root / "data", {"file": ("str", None), "image": ("bytes", None), "label": ("int", 8), "caption": ("str", None)}, rows)
        run(self.root / "data", self.out)
        found = samples(self.out)
        self.assertEqual(list(found), [f"00000000{i}_é_{i}_v1" for i in range(3)])
        told = json.loads(found["000000001_é_1_v1"]["json"])
        self.assertEqual(told, {"name": "a.b/é 1.v1.jpg", "columns": {"caption": "é"}})

    def test_splits(self):
        for split in "train", "validation", "test":
            jpegs(self.root / "data" / split)
        run(self.root / "data", self.out)
        self.assertEqual(sorted(path.name for path in self.out.iterdir()), ["test", "train", "val"])
        self.assertEqual(len(samples(self.out / "val")), 12)

    def test_words_become_classes(self):
        words = ["dog", "ant", "Ant", "dog", "", "-1"]
        rows = [{"x": JPEG, "label": word.encode()} for word in words * 2]
        mds(self.root / "data", {"x": ("jpeg", None), "label": ("str", None)}, rows)
        run(self.root / "data", self.out)
        self.assertEqual((self.out / "classes.txt").read_text(), "-1\nAnt\nant\ndog\n")
        self.assertEqual([sample.get("cls") for sample in samples(self.out).values()], [b"3", b"2", b"1", b"3", None, b"0"] * 2)
        numbers = [{"x": JPEG, "label": word} for word in (b"3", b"0", b"-1", b"12")]
        mds(self.root / "numbers", {"x": ("jpeg", None), "label": ("str", None)}, numbers)
        run(self.root / "numbers", self.root / "out2")
        self.assertEqual([sample.get("cls") for sample in samples(self.root / "out2").values()], [b"3", b"0", None, b"12"])

    def test_labels_that_are_no_classes(self):
        jpegs(self.root / "negative", labels=[1, -2])
        self.refused(2, self.root / "negative", self.out, named=["sample 1", "-2", "--columns"])
        rows = [{"x": JPEG, "label": struct.pack("<d", value)} for value in (1, 0.5)]
        mds(self.root / "parts", {"x": ("jpeg", None), "label": ("float64", 8)}, rows)
        self.refused(2, self.root / "parts", self.out, named=["0.5"])
        rows = [{"x": JPEG, "label": b"a caption %d" % i} for i in range(12)]
        mds(self.root / "captions", {"x": ("jpeg", None), "label": ("str", None)}, rows)
        self.refused(2, self.root / "captions", self.out, named=["label", "--columns=IMAGE"])
        run(self.root / "captions", self.out, "--columns=x")
        self.assertNotIn("cls", next(iter(samples(self.out).values())))

    def test_bytes_are_the_same_each_time(self):
        jpegs(self.root / "data")
        run(self.root / "data", self.out)
        run(self.root / "data", self.root / "again")
        self.assertEqual((self.out / "shard-000000.tar").read_bytes(), (self.root / "again" / "shard-000000.tar").read_bytes())

    def test_size_of_shards(self):
        rows = [{"x": JPEG + bytes(size), "y": number(0)} for size in [300_000] * 9 + [2_000_000, 300_000]]
        mds(self.root / "data", {"x": ("jpeg", None), "y": ("int", 8)}, rows)
        run(self.root / "data", self.out, "--shard-size=1")
        sizes = [path.stat().st_size for path in sorted(self.out.glob("*.tar"))]
        self.assertEqual(len(sizes), 5)  # of three each, the large one alone, and the last
        self.assertLessEqual(max(sizes[:3] + sizes[4:]), 1_000_000)
        self.assertEqual([len(sample["jpg"]) for sample in samples(self.out).values()], [len(row["x"]) for row in rows])

    def test_compressed_shards(self):
        for pack in "gz", "bz2":
            jpegs(self.root / pack, pack=pack, shards=2)
            run(self.root / pack, self.root / f"out-{pack}")
            self.assertEqual([sample["jpg"] for sample in samples(self.root / f"out-{pack}").values()],
                             [JPEG + b"%d" % i for i in range(12)])

    def test_images_of_pil(self):
        def stored(mode, width, height, data):
            return {"x": struct.pack("<III", width, height, len(mode)) + mode.encode() + data}
        grey = bytes(range(6))
        cases = [("L", grey, (3, 2, 8, 0, grey)), ("RGB", grey * 3, (3, 2, 8, 2, grey * 3)),
                 ("RGBA", grey * 4, (3, 2, 8, 6, grey * 4)), ("LA", grey * 2, (3, 2, 8, 4, grey * 2)),
                 ("1", b"\xa0\x40", (3, 2, 1, 0, b"\xa0\x40")),
                 ("I;16", struct.pack("<6H", *range(1000, 1006)), (3, 2, 16, 0, struct.pack(">6H", *range(1000, 1006)))),
                 ("I", struct.pack("<6I", *range(1000, 1006)), (3, 2, 16, 0, struct.pack(">6H", *range(1000, 1006))))]
        mds(self.root / "data", {"x": ("pil", None)}, [stored(mode, 3, 2, data) for mode, data, _ in cases])
        self.assertIn("written as PNG", run(self.root / "data", self.out))
        self.assertEqual([pixels(sample["png"]) for sample in samples(self.out).values()], [png for *_, png in cases])
        for mode, data, named in ("P", grey, "palette"), ("CMYK", grey * 4, "CMYK"), ("L", grey[1:], "5 bytes"):
            mds(self.root / mode, {"x": ("pil", None)}, [stored("L", 3, 2, grey), stored(mode, 3, 2, data)])
            self.refused(2, self.root / mode, self.root / "out2", named=["sample 1", named])

    def test_arrays(self):
        data = bytes(range(24))
        for shape, expected in [((2, 4, 3), (4, 2, 8, 2, data)), ((4, 6), (6, 4, 8, 0, data)), ((6, 4, 1), (4, 6, 8, 0, data)),
                                ((1, 4, 6), (6, 4, 8, 0, data)),
                                ((3, 2, 4), (2, 3, 8, 6, data))]:  # rows x columns x 4, not 3 x rows x columns
            self.assertEqual(pixels(pictures.file_of_array(data, "uint8", shape)), expected, shape)
        planes = bytes(channel * 100 + i for channel in range(2) for i in range(30))
        both = bytes(channel * 100 + i for i in range(30) for channel in range(2))
        self.assertEqual(pixels(pictures.file_of_array(planes, "uint8", (2, 5, 6))), (6, 5, 8, 4, both))
        wide = struct.pack("<60H", *(256 * v for v in planes))
        self.assertEqual(pixels(pictures.file_of_array(wide, "uint16", (2, 5, 6))),
                         (6, 5, 16, 4, struct.pack(">60H", *(256 * v for v in both))))
        for dtype, shape in ("int64", (1, 3)), ("uint8", (24,)), ("uint8", (5, 5)), ("uint8", (24, 1, 1, 2)), ("uint8", (24, 0)):
            with self.assertRaises(pictures.NotAPicture):
                pictures.file_of_array(data, dtype, shape)

    def test_arrays_that_png_does_not_have(self):
        for code, dtype, form in ("B", "uint8", 1), ("H", "uint16", 1), ("h", "int16", 2), ("I", "uint32", 1), ("f", "float32", 3):
            for shape, (height, width, channels) in [((6, 7, 5), (6, 7, 5)), ((5, 7, 8), (7, 8, 5)), ((7, 8), (7, 8, 1)),
                                                     ((9, 8, 3), (9, 8, 3)), ((70, 66, 64), (70, 66, 64))][:5 if code == "B" else 4]:
                first = shape[0] == 5
                order = [(c * height + y) * width + x if first else (y * width + x) * channels + c
                         for y in range(height) for x in range(width) for c in range(channels)]
                given = struct.pack(f"<{len(order)}{code}", *(i % 251 for i in range(len(order))))
                file = pictures.file_of_array(given, dtype, shape)
                if dtype in ("uint8", "uint16") and channels <= 4:
                    self.assertEqual(pictures.ending_of(file), "png")
                    continue
                tags, read = tiff(file)
                self.assertEqual([tags[256], tags[257], tags[277], set(tags[258]), set(tags[339])],
                                 [[width], [height], [channels], {8 * struct.calcsize(code)}, {form}])
                self.assertEqual(len(tags[258]) + len(tags[339]), 2 * channels)
                self.assertEqual(read, struct.pack(f"<{len(order)}{code}", *(i % 251 for i in order)), (dtype, shape))

    def test_litdata(self):
        folder = self.root / "data"
        folder.mkdir()
        items = [struct.pack("<II", len(JPEG) + 1, 8) + JPEG + b"%d" % i + number(i % 3) for i in range(9)]
        offsets = [44]
        for item in items:
            offsets.append(offsets[-1] + len(item))
        (folder / "chunk-0-0.bin").write_bytes(struct.pack("<11I", 9, *offsets) + b"".join(items))
        spec = {"type": "builtins.dict", "context": json.dumps(["image", "class"]),
                "children_spec": [{"type": None, "context": None, "children_spec": []}] * 2}
        index = {"chunks": [{"chunk_bytes": offsets[-1], "chunk_size": 9, "dim": None, "filename": "chunk-0-0.bin"}],
                 "config": {"compression": None, "data_format": ["jpeg", "int"], "data_spec": json.dumps([1, spec]),
                            "encryption": None, "item_loader": "PyTreeLoader"}}
        (folder / "index.json").write_text(json.dumps(index))
        run(folder, self.out)
        self.assertEqual([(sample["jpg"], sample["cls"]) for sample in samples(self.out).values()],
                         [(JPEG + b"%d" % i, b"%d" % (i % 3)) for i in range(9)])
        index["config"]["encryption"] = {"algorithm": "fernet"}
        (folder / "index.json").write_text(json.dumps(index))
        self.refused(2, folder, self.root / "out2", named=["encrypted"])

    def test_what_is_no_image_is_kept(self):
        rows = [{"x": data} for data in (JPEG, b"<html>not found</html>", JPEG, b"")]
        mds(self.root / "data", {"x": ("bytes", None)}, rows)
        said = run(self.root / "data", self.out)
        self.assertIn("sample 1", said)
        self.assertIn("left out: 1 sample", said)
        self.assertEqual([sample["jpg"] for sample in samples(self.out).values()], [JPEG, b"<html>not found</html>", JPEG])

    def test_several_columns_of_images(self):
        rows = [{"left": JPEG, "right": JPEG + b"r"}]
        mds(self.root / "data", {"left": ("jpeg", None), "right": ("jpeg", None)}, rows)
        self.refused(2, self.root / "data", self.out, named=["left", "right", "--columns"])
        self.refused(2, self.root / "data", self.out, "--columns=middle", named=["middle", "left"])
        run(self.root / "data", self.out, "--columns=2")
        self.assertEqual([sample["jpg"] for sample in samples(self.out).values()], [JPEG + b"r"])

    def test_paths_and_addresses(self):
        (self.root / "pictures" / "a").mkdir(parents=True)
        rows = []
        for i in range(3):
            (self.root / "pictures" / "a" / f"{i}.jpg").write_bytes(JPEG + b"%d" % i)
            rows.append({"image": b"a/%d.jpg" % i, "y": number(i)})
        columns = {"image": ("str", None), "y": ("int", 8)}
        mds(self.root / "data", columns, rows)
        self.refused(2, self.root / "data", self.out, named=["image", "a/0.jpg", "--files"])
        self.refused(2, self.root / "data", self.out, f"--files={self.root}", named=["a/0.jpg", "--files"])
        run(self.root / "data", self.out, f"--files={self.root / 'pictures'}")
        self.assertEqual([sample["jpg"] for sample in samples(self.out).values()], [JPEG + b"%d" % i for i in range(3)])
        mds(self.root / "outside", columns, rows + [{"image": b"../secret.jpg", "y": number(0)}])
        (self.root / "secret.jpg").write_bytes(JPEG)
        self.refused(2, self.root / "outside", self.root / "out2", f"--files={self.root / 'pictures'}", named=["sample 3", "--files"])
        mds(self.root / "web", columns, [{"image": b"https://example.org/%d.jpg" % i, "y": number(0)} for i in range(3)])
        self.refused(2, self.root / "web", self.root / "out2", named=["https://example.org/0.jpg"])

    def test_damaged_data(self):
        data = jpegs(self.root / "data", shards=2)
        shard = data / "shard.00001.mds"
        whole = shard.read_bytes()
        shard.write_bytes(whole[:-5])
        self.refused(3, data, self.out, named=["shard.00001.mds"])
        shard.write_bytes(whole[:4] + struct.pack("<I", 1 << 31) + whole[8:])
        self.refused(3, data, self.out, named=["shard.00001.mds"])
        shard.unlink()
        self.refused(3, data, self.out, named=["shard.00001.mds"])
        outside = json.loads((data / "index.json").read_text())
        outside["shards"][0]["raw_data"]["basename"] = "../data/shard.00000.mds"
        (data / "index.json").write_text(json.dumps(outside))
        self.refused(3, data, self.out, named=["index.json", ".."])
        (data / "index.json").write_text("{")
        self.refused(3, data, self.out, named=["index.json"])
        (data / "index.json").write_text('{"shards": [{"format": "mds"}], "version": 2}')
        self.refused(3, data, self.out, named=["index.json"])

    def test_every_cut_and_change_of_a_shard(self):
        """Ends with an exit code of docs/errors.md, never with a trace of Python."""
        import convert
        data = jpegs(self.root / "data", labels=range(2))
        shard = data / "shard.00000.mds"
        whole, index = shard.read_bytes(), json.loads((data / "index.json").read_text())
        for at in range(len(whole)):
            for changed in whole[:at], whole[:at] + bytes([whole[at] ^ 0x81]) + whole[at + 1:]:
                shard.write_bytes(changed)
                index["shards"][0]["raw_data"]["bytes"] = len(changed)
                (data / "index.json").write_text(json.dumps(index))
                out = self.root / f"out{at}-{len(changed)}"
                try:
                    with contextlib.redirect_stdout(io.StringIO()):
                        convert.convert(data, out, [], None, 1 << 30)
                except convert.Fault as fault:
                    self.assertIn(fault.code, (2, 3))
                    self.assertFalse(out.exists())
                self.assertFalse(out.with_name(out.name + ".part").exists())

    def test_nothing_is_overwritten(self):
        data = jpegs(self.root / "data")
        self.out.mkdir()
        self.refused(4, data, self.out, named=["out", "exists"])
        (self.root / "next.part").mkdir()
        self.refused(4, data, self.root / "next", named=["next.part"])

    def test_flags_and_places(self):
        data = jpegs(self.root / "data")
        for args in [("--shard-size=0",), ("--shard-size=x",), ("--columns=a,b,c,d",), ("--column=x",), ("more",)]:
            self.refused(2, data, self.out, *args, named=[args[0].split("=")[0]])
        self.refused(2, data)
        self.refused(2, self.root / "nowhere", self.out, named=["nowhere"])
        (self.root / "empty").mkdir()
        self.refused(2, self.root / "empty", self.out, named=["empty"])
        self.assertIn("--columns", run("--help"))
        run("data", "there/out", env={**os.environ, "BUILD_WORKING_DIRECTORY": str(self.root)})
        self.assertTrue((self.root / "there" / "out" / "shard-000000.tar").exists())

    def test_missing_packages(self):
        for file, package in ("data.parquet", "pyarrow"), ("data.mdb", "lmdb"):
            if importlib.util.find_spec(package):
                continue
            (self.root / file).write_bytes(b"")
            self.refused(4, self.root / file, self.out, named=[f"pip install {package}=="])

    def test_full_disk(self):
        rows = [{"x": JPEG + bytes(1_000_000), "y": number(0)} for _ in range(3)]
        data = mds(self.root / "data", {"x": ("jpeg", None), "y": ("int", 8)}, rows)
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
        self.refused(4, data, self.out, preexec_fn=limit)

    def test_stopped(self):
        data = jpegs(self.root / "data", labels=[0] * 200_000)
        for number_, code in (signal.SIGTERM, 143), (signal.SIGINT, 130):
            process = subprocess.Popen([sys.executable, "-sE", TOOL, data, self.out], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            while process.poll() is None and not list(self.root.glob("out.part/*.tar")):
                time.sleep(0.01)
            process.send_signal(number_)
            self.assertEqual(process.wait(), code)
            self.assertEqual([path.name for path in self.root.iterdir()], ["data"])

    def test_pickles_run_nothing(self):
        value = {"image": JPEG, "label": 3, "more": [(1, 2.5, None, True, "é", b""), {"a": []}, 1 << 70, -1]}
        for protocol in range(2, 6):
            self.assertEqual(pickles.load(pickle.dumps(value, protocol)), value)
        self.assertEqual(pickles.load(pickle.dumps([b"%d" % i for i in range(3000)])), [b"%d" % i for i in range(3000)])
        marker = self.root / "run"

        class Runs:
            def __reduce__(self):
                return os.mkdir, (str(marker),)
        for protocol in range(6):
            with self.assertRaises(pickles.Refused):
                pickles.load(pickle.dumps((JPEG, Runs()), protocol))
        self.assertFalse(marker.exists())
        whole = pickle.dumps(value)
        for at in range(len(whole)):
            for changed in whole[:at], whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1:]:
                with contextlib.suppress(pickles.Refused):
                    pickles.load(changed)

    def test_values_of_lmdb(self):
        for value, label in [(JPEG, None), ((JPEG, 3), 3), ([JPEG, "dog"], "dog"), ({"image": JPEG, "y": 1, "Label": 2}, 2),
                             ((JPEG, 3, b"more"), 3), ((JPEG,), None)]:
            picture, found = read_lmdb._image_and_label(value)
            self.assertEqual((picture.data, found), (JPEG, label), value)
        for value in 3, (3, 4), (JPEG, JPEG), (JPEG, 1, 2), (b"no image", 1), {"image": b""}, None:
            with self.assertRaises(pickles.Refused):
                read_lmdb._image_and_label(value)

    def test_datum_of_caffe(self):
        planes = bytes(100 * channel + i for channel in range(3) for i in range(2 * 5))  # blue, green, red
        colours = bytes(100 * channel + i for i in range(2 * 5) for channel in (2, 1, 0))
        datum = b"\x08\x03\x10\x02\x18\x05\x22\x1e" + planes + b"\x28\x07"
        picture, label = read_lmdb._datum(datum)
        self.assertEqual((pixels(picture.data), label), ((5, 2, 8, 2, colours), 7))
        grey = b"\x08\x01\x10\x02\x18\x05\x22\x0a" + planes[:10] + b"\x28" + b"\xff" * 9 + b"\x01"
        picture, label = read_lmdb._datum(grey)
        self.assertEqual((pixels(picture.data), label), ((5, 2, 8, 0, planes[:10]), -1))
        picture, label = read_lmdb._datum(b"\x22" + bytes([len(JPEG)]) + JPEG + b"\x28\x02\x38\x01")
        self.assertEqual((picture.data, picture.decoded, label), (JPEG, False, 2))
        for at in range(len(datum) - 2):
            self.assertIsNone(read_lmdb._datum(datum[:at]), at)

    def test_databases_that_are_cut(self):
        """They would end the process with a bus error."""
        path = self.root / "data.mdb"
        page = lambda transaction, last: (bytes(16) + struct.pack("<II", 0xBEEFC0DE, 1) + bytes(16) + struct.pack("<I", 4096)
                                          + bytes(92) + struct.pack("<QQ", last, transaction)).ljust(4096, b"\0")
        path.write_bytes(page(4, 2) + page(5, 3) + bytes(8192))
        read_lmdb._check(path)
        for data in page(4, 2) + page(5, 3) + bytes(8191), page(4, 2) + page(5, 1 << 40), page(4, 1)[:100], b"":
            path.write_bytes(data)
            with self.assertRaises(Fault) as fault:
                read_lmdb._check(path)
            self.assertEqual(fault.exception.code, 3)

    def test_endings(self):
        for data, ending in [(JPEG, "jpg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"RIFF\1\0\0\0WEBPVP8 ", "webp"), (b"II*\0", "tif"),
                             (b"MM\0+", "tif"), (b"GIF89a", "gif"), (b"BM" + bytes(12) + b"\x28\0\0\0", "bmp"), (b"P6\n", "ppm"),
                             (b"P5 ", "pgm"), (b"\x93NUMPY\1\0", "npy"), (b"\0\0\0\x1cftypavif", "avif"), (b"BM", None),
                             (b"P6", None), (b"{}", None), (b"", None)]:
            self.assertEqual(pictures.ending_of(data), ending, data)


if __name__ == "__main__":
    unittest.main()
