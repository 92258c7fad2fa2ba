"""Unpacks the wheels that a lock file pins by hash into a shared cache; prints the folder.

The folder's name is the lock's hash, and it appears by one rename when all is done: whoever is
interrupted leaves nothing that a later run takes for whole.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

PLATFORMS = ["manylinux_2_28_x86_64", "manylinux_2_25_x86_64", "manylinux2014_x86_64",
             "manylinux_2_17_x86_64"]


def download(lock, folder):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
               "--no-cache-dir", "--require-hashes", "--no-deps", "--only-binary=:all:",
               "--python-version=311", "--implementation=cp", "--abi=cp311", "--abi=none",
               *(f"--platform={p}" for p in PLATFORMS), "-d", str(folder), "-r", str(lock)]
    done = subprocess.run(command, stdout=sys.stderr, stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        return
    said = done.stderr.strip()
    if "No module named pip" in said:
        sys.exit("LibTorch: pip is missing. Install the Debian package python3-pip, or run ./tools/setup.sh.")
    if "DO NOT MATCH THE HASHES" in said:
        sys.exit(f"LibTorch: a downloaded wheel does not have the hash pinned in {lock.name}. Nothing was "
                 f"kept. Try again; if it stays so, the package index does not serve the pinned file.\n{said}")
    sys.exit("LibTorch: the wheels could not be downloaded. Nothing was kept. Check the network and pip's "
             f"index settings, then run the same command again.\n{said}")


def main():
    lock = pathlib.Path(sys.argv[1]).resolve()
    key = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    cache = pathlib.Path(base) / "mocopp"
    site = cache / f"wheels-{key}"
    if not site.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with open(cache / f"wheels-{key}.lock", "w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)  # a second build waits here, then finds the folder
            if not site.exists():
                for stale in cache.glob(f"wheels-{key}.part-*"):
                    shutil.rmtree(stale, ignore_errors=True)
                part = pathlib.Path(tempfile.mkdtemp(prefix=f"wheels-{key}.part-", dir=cache))
                try:
                    print("LibTorch: fetching the pinned wheels (about 550 MB, once)", file=sys.stderr)
                    download(lock, part / "wheels")
                    for wheel in sorted((part / "wheels").glob("*.whl")):
                        with zipfile.ZipFile(wheel) as archive:
                            archive.extractall(part / "site")
                    (part / "site").rename(site)
                finally:
                    shutil.rmtree(part, ignore_errors=True)
    print(site)


if __name__ == "__main__":
    main()
