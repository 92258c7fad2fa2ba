"""Unpacks the wheels that a lock file pins by hash into a shared cache; prints the folder.

    fetch_wheels.py LOCK WHAT DOWNLOAD SPACE

WHAT they are, how much the DOWNLOAD is and the SPACE it takes for a while are for messages.

The folder's name is the lock's hash, and it appears by one rename when all is done: whoever is
interrupted leaves nothing that a later run takes for whole. A failure ends in one line on stderr.
"""

import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

PLATFORMS = ["manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_25_x86_64",
             "manylinux_2_18_x86_64", "manylinux2014_x86_64", "manylinux_2_17_x86_64"]


def download(lock, folder):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
               "--no-cache-dir", "--require-hashes", "--no-deps", "--only-binary=:all:",
               "--python-version=311", "--implementation=cp", "--abi=cp311", "--abi=none",
               *(f"--platform={p}" for p in PLATFORMS), "-d", str(folder / "wheels"), "-r", str(lock)]
    # pip's temporary files lie in the folder too, so that they go when it goes.
    done = subprocess.run(command, env={**os.environ, "TMPDIR": str(folder)}, stdout=sys.stderr,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        return
    if "No module named pip" in done.stderr:
        raise RuntimeError(f"{sys.executable} has no pip. Install the Debian package python3-pip, or run "
                           "./tools/setup.sh.")
    if "No space left on device" in done.stderr:
        raise OSError("No space left on device")
    if mismatch := re.search(r"(\S+)[^\n]*\n\s*Expected sha256 (\S+)\n\s*Got\s+(\S+)", done.stderr):
        raise RuntimeError("{} does not have the hash that {} pins (expected {}, got {}). Try again; if it stays "
                           "so, the package index does not serve the pinned file.".format(
                               mismatch[1], lock.name, mismatch[2], mismatch[3]))
    print(done.stderr.strip(), file=sys.stderr)
    # Where there is no connection, pip's errors only say that there is no such package.
    said = (re.findall(r"connection broken by (.*)", done.stderr) or
            re.findall(r"^ERROR: (.*)", done.stderr, re.MULTILINE) or ["nothing"])
    raise RuntimeError("the wheels could not be downloaded. Check the network and pip's index settings, then run "
                       f"the same command again. pip said: {said[-1]}")


def fetch(lock, site, what, size):
    """Makes the folder `site`, or raises and leaves nothing."""
    site.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{site}.lock", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # a second build waits here, then finds the folder
        if site.exists():
            return
        for stale in site.parent.glob(f"{site.name}.part-*"):
            shutil.rmtree(stale, ignore_errors=True)
        part = pathlib.Path(tempfile.mkdtemp(prefix=f"{site.name}.part-", dir=site.parent))
        try:
            print(f"{what}: fetching the pinned wheels (about {size}, once)", file=sys.stderr)
            download(lock, part)
            for wheel in sorted((part / "wheels").glob("*.whl")):
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(part / "site")
            os.sync()  # the name must not outlive the contents when the power fails
            (part / "site").rename(site)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def main():
    lock = pathlib.Path(sys.argv[1]).resolve()
    what, size, space = sys.argv[2:]
    key = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    site = pathlib.Path(base) / "mocopp" / f"wheels-{key}"
    try:
        if not site.exists():
            fetch(lock, site, what, size)
    except OSError as error:
        sys.exit(f"{what}: {site} could not be written: {error.strerror or error}. Nothing was kept. It needs "
                 f"{space} for a while; XDG_CACHE_HOME can name another place.")
    except RuntimeError as error:
        sys.exit(f"{what}: nothing was kept: {error}")
    except KeyboardInterrupt:
        sys.exit(f"{what}: interrupted. Nothing was kept.")
    print(site)


if __name__ == "__main__":
    main()
