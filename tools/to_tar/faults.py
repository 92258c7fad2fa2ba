"""Errors that a user can fix, with the exit codes of docs/errors.md."""

import os
import pathlib
import re

USAGE, DAMAGED, RESOURCE = 2, 3, 4

LOCK = pathlib.Path(__file__).resolve().parents[2] / "third_party" / "python" / "to_tar.lock"


# What the user types to start this program: by the launcher of a bundle (base/started.h), or by Bazel.
_LAUNCHER = os.environ.get("MOCOPP_STARTED_AS")
COMMAND = f"{_LAUNCHER} to_tar" if _LAUNCHER else "bazel run //tools:to_tar --"


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
        brought = "" if _LAUNCHER else ", or use bazel run //tools:to_tar, which brings it for Python 3.11"
        raise Fault(RESOURCE, f"{what} needs the Python package {package}, which this Python lacks; run: pip install "
                    f"{pinned[0] if pinned else package} (in a virtual environment){brought}") from None


def shown(values, most=8):
    """A list for a message."""
    values = [str(value) for value in values]
    return ", ".join(values[:most]) + (f" and {len(values) - most} more" if len(values) > most else "")
