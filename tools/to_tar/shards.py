"""Tar shards, whose bytes depend on nothing but their contents."""

import io
import os
import tarfile


class Shards:
    """Writes shard-000000.tar, ... into a folder. A sample lies in one shard; a shard has at most `most` bytes, unless a
    sample alone is larger."""

    def __init__(self, folder, most):
        self._folder, self._most, self._tar, self._file = folder, most, None, None
        self.count = 0

    def add(self, key, parts):
        """`parts`: (ending, contents)."""
        size = sum(512 + -len(data) % 512 + len(data) for _, data in parts)
        # The end mark, and what fills the last record.
        if self._tar is not None and self._tar.offset + size + tarfile.RECORDSIZE > self._most:
            self.close()
        if self._tar is None:
            self._file = open(self._folder / f"shard-{self.count:06}.tar", "xb")
            self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.GNU_FORMAT)
            self.count += 1
        for ending, data in parts:
            entry = tarfile.TarInfo(f"{key}.{ending}")  # of user 0 and time 0
            entry.size = len(data)
            self._tar.addfile(entry, io.BytesIO(data))
            self._tar.members.clear()  # tarfile would remember every entry

    def close(self):
        if self._tar is not None:
            self._tar.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        self._tar = self._file = None

    def abandon(self):
        if self._file is not None:
            self._file.close()
        self._tar = self._file = None
