"""Errors that a user can fix, with the exit codes of docs/errors.md."""

import pathlib
import re

USAGE, DAMAGED, RESOURCE = 2, 3, 4

LOCK = pathlib.Path(__file__).resolve().parents[2] / "third_party" / "python" / "to_tar.lock"


class Fault(Exception):
    """What is wrong, where, and what to do, in one line."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def need(package, what):
    """Imports a package that only some inputs need; `what` needs it."""
    try:
        return __import__(package)
    except ImportError:
        pinned = re.search(rf"^{package}==\S+", LOCK.read_text(), re.MULTILINE) if LOCK.exists() else None
        raise Fault(RESOURCE, f"{what} needs the Python package {package}, which this Python lacks; run: pip install "
                    f"{pinned[0] if pinned else package} (in a virtual environment), or use bazel run //tools:to_tar, "
                    "which brings it for Python 3.11") from None


def shown(values, most=8):
    """A list for a message."""
    values = [str(value) for value in values]
    return ", ".join(values[:most]) + (f" and {len(values) - most} more" if len(values) > most else "")
