#!/usr/bin/env python3
"""fetch_wheels.py with a fake pip: whatever happens, the cache holds a whole folder or none."""

import hashlib
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SCRIPT = pathlib.Path(__file__).with_name("fetch_wheels.py")

# Stands for `python3 -m pip download ... -d FOLDER -r LOCK`; $FAKE_PIP says what it does.
FAKE_PIP = '''
import os, pathlib, sys, tempfile, time, zipfile
folder = pathlib.Path(sys.argv[sys.argv.index("-d") + 1])
state = pathlib.Path(os.environ["FAKE_PIP_STATE"])
with open(state / "calls", "a") as calls:
    print(sys.argv[-1], file=calls)
mode = os.environ["FAKE_PIP"]
if mode.startswith("say "):
    sys.exit(mode[4:])
folder.mkdir()
(pathlib.Path(tempfile.gettempdir()) / "pip-unpack").write_text("left by a killed pip")
with zipfile.ZipFile(folder / "a.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
    wheel.writestr("torch/lib/libc10.so", "x" * 100_000)
if mode == "wait":  # for the test, in the middle of the download
    (state / "waiting").touch()
    while not (state / "go").exists():
        time.sleep(0.01)
with zipfile.ZipFile(folder / "b.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
    wheel.writestr("nvidia/cu13/lib/libcudart.so.13", "y" * 100_000)
'''

MISMATCH = """ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. ...
    torch==2.11.0 from https://example.org/torch-2.11.0.whl (from -r cpu.lock (line 1)):
        Expected sha256 7aa2
             Got        8abb
"""
NO_NETWORK = """WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError: refused': /simple/torch/
ERROR: Could not find a version that satisfies the requirement torch==2.11.0 (from versions: none)
ERROR: No matching distribution found for torch==2.11.0"""
DISK_FULL = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"


class FetchWheelsTest(unittest.TestCase):

    def setUp(self):
        root = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.cache = root / "cache" / "mocopp"
        self.state = root
        self.tmp = root / "tmp"
        self.tmp.mkdir()
        self.lock = root / "cpu.lock"
        self.lock.write_text("torch==2.11.0 --hash=sha256:7aa2\n")
        (root / "python" / "pip").mkdir(parents=True)
        (root / "python" / "pip" / "__init__.py").touch()
        (root / "python" / "pip" / "__main__.py").write_text(FAKE_PIP)

    def start(self, mode, **kwargs):
        env = {**os.environ, "PYTHONPATH": str(self.state / "python"), "FAKE_PIP": mode,
               "FAKE_PIP_STATE": str(self.state), "XDG_CACHE_HOME": str(self.cache.parent),
               "TMPDIR": str(self.tmp)}
        return subprocess.Popen([sys.executable, SCRIPT, self.lock, "LibTorch", "550 MB", "3 GB"], env=env,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)

    def fetch(self, mode="download", **kwargs):
        """The printed folder, or None, and the last line of stderr."""
        process = self.start(mode, **kwargs)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode == 0, bool(out), err)
        self.assertNotIn("Traceback", err)
        return pathlib.Path(out.strip()) if out else None, err.strip().split("\n")[-1]

    def calls(self):
        return len((self.state / "calls").read_text().splitlines())

    def folders(self):
        return sorted(path.name for path in self.cache.iterdir() if path.is_dir())

    def assert_whole(self, folder):
        self.assertEqual((folder / "torch/lib/libc10.so").stat().st_size, 100_000)
        self.assertEqual((folder / "nvidia/cu13/lib/libcudart.so.13").stat().st_size, 100_000)
        self.assertEqual(self.folders(), [folder.name])
        self.assertEqual(list(self.tmp.iterdir()), [])

    def wait_for(self, condition):
        for _ in range(3000):
            if condition():
                return
            time.sleep(0.01)
        self.fail("waited in vain")

    def test_once_for_one_lock_and_again_for_another(self):
        folder, _ = self.fetch()
        self.assert_whole(folder)
        key = hashlib.sha256(self.lock.read_bytes()).hexdigest()
        self.assertEqual(folder, self.cache / f"wheels-{key[:16]}")
        self.assertEqual(self.fetch("say must not be called")[0], folder)
        self.lock.write_text("torch==2.11.0 --hash=sha256:another\n")
        self.assertNotEqual(self.fetch()[0], folder)
        self.assertEqual(self.calls(), 2)

    def test_killed_midway_leaves_nothing_that_is_taken_for_whole(self):
        process = self.start("wait", start_new_session=True)
        self.wait_for((self.state / "waiting").exists)
        os.killpg(process.pid, signal.SIGKILL)  # the fake pip dies too
        process.communicate()
        self.assertTrue(self.folders())  # the test is of something
        folder, _ = self.fetch()
        self.assert_whole(folder)
        self.assertEqual(self.calls(), 2)

    def test_interrupted_cleans_up(self):
        process = self.start("wait", start_new_session=True)
        self.wait_for((self.state / "waiting").exists)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate()
        self.assertEqual(err.strip().split("\n")[-1], "LibTorch: interrupted. Nothing was kept.")
        self.assertEqual(self.folders(), [])

    def test_two_at_once_fetch_once(self):
        first = self.start("wait")
        self.wait_for((self.state / "waiting").exists)
        second = self.start("say must not be called")
        self.wait_for(lambda: any(os.path.exists(fd) and os.readlink(fd).endswith(".lock")
                                  for fd in pathlib.Path(f"/proc/{second.pid}/fd").glob("*")))
        (self.state / "go").touch()
        folders = {process.communicate(timeout=60)[0].strip() for process in (first, second)}
        self.assertEqual(len(folders), 1)
        self.assert_whole(pathlib.Path(folders.pop()))
        self.assertEqual(self.calls(), 1)

    def test_failures_say_what_to_do_and_keep_nothing(self):
        for said, message in {
                MISMATCH: "LibTorch: nothing was kept: torch==2.11.0 does not have the hash that cpu.lock pins "
                          "(expected 7aa2, got 8abb). Try again",
                NO_NETWORK: "Check the network and pip's index settings, then run the same command again. pip said: "
                            "'NewConnectionError: refused'",
                DISK_FULL: "No space left on device. Nothing was kept. It needs 3 GB",
                "python3: No module named pip": "Install the Debian package python3-pip, or run ./tools/setup.sh",
                "ERROR: another": "pip said: another",
        }.items():
            with self.subTest(said):
                folder, last_line = self.fetch("say " + said)
                self.assertIsNone(folder)
                self.assertIn(message, last_line)
                self.assertEqual(self.folders(), [])
        self.assert_whole(self.fetch()[0])

    def test_failure_to_unpack_keeps_nothing(self):
        # The wheels are smaller than the limit, what they hold is larger.
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        folder, last_line = self.fetch(preexec_fn=limit)
        self.assertIsNone(folder)
        self.assertIn("File too large", last_line)
        self.assertEqual(self.folders(), [])

    def test_cache_that_cannot_be_made(self):
        self.cache.parent.write_text("a file where the folder should be")
        folder, last_line = self.fetch()
        self.assertIsNone(folder)
        self.assertIn("could not be written: Not a directory", last_line)


if __name__ == "__main__":
    unittest.main()
