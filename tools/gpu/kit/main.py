"""Checks and measures MoCo++ on a GPU: run.sh check | speed | demo (docs/cuda.md).

  check    does everything compute what the CPU computes, and the same again?
  speed    steps a second beside the official code on the same PyTorch
  demo     the official CIFAR-10 demo's 200 epochs beside its published log

A call takes at most --seconds (default 500). What it has not reached, the same call does next time. The results are in
one JSON, and in a table at the end.
"""

import argparse
import json
import os
import pathlib
import sys

import check
import demo
import speed
import tables
from place import Failure, Place

PARTS = {"check": check.run, "speed": speed.run, "demo": demo.run}


def read(path):
    return json.loads(path.read_text()) if path.exists() else {}


def write(path, results):
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps(results, indent=1) + "\n")
    os.replace(new, path)


def main():
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--seconds", type=float, default=500, help="after which the call ends (default: 500)")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(os.environ.get("OUT", "."), "gpu.json"),
                        help="file for the results (default: gpu.json in $OUT, or here)")
    options = parser.parse_args()
    try:
        place = Place(options.seconds)
        kept = place.work / "gpu.json"  # of this kit on this machine
        results = {**read(kept), "machine": place.machine(), "kit": place.about}

        def save():
            for path in kept, options.out.absolute():
                write(path, results)

        part = results.setdefault(options.part, {})
        ok = PARTS[options.part](place, part, save)
        save()
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 4
    print("\n".join(tables.of_part(options.part, results)))
    print(f"\nresults  {options.out}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
