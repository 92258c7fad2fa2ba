#!/bin/bash
# Fire 0.7.1: values on the command line are Python literals where they can be, also for an argument whose default is a text:
# --run=20261101_12 is the number 2026110112, as Python ignores underscores between digits, and the runs 1_10 and 11_0 are both
# 110 and write into one folder. A commit 12e4567 is inf, and 1.10 is 1.1. --amp=false is the word "false", which is true,
# whereas False is false. The guide says that types come from the values; a name in two pairs of quotes stays a text.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  fire==0.7.1
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import contextlib
import importlib.metadata
import io

import fire


def train(run="", amp=True):
    return run, amp


def parsed(*arguments):
    with contextlib.redirect_stdout(io.StringIO()):
        return fire.Fire(train, list(arguments))


found = {name: parsed(f"--run={name}")[0] for name in ("20261101_12", "1_10", "11_0", "12e4567", "1.10", "'1_10'", "a_10")}
amp = {word: parsed(f"--amp={word}")[1] for word in ("false", "False")}
print("fire", importlib.metadata.version("fire"), "run:", found, "amp:", amp)
assert found == {"20261101_12": 2026110112, "1_10": 110, "11_0": 110, "12e4567": float("inf"), "1.10": 1.1, "'1_10'": "1_10",
                 "a_10": "a_10"}
assert amp == {"false": "false", "False": False}
PYTHON
