"""Compares the golden files of two folders: exactly, but for floating point, which may differ by rounding.

    compare_golden.py COMMITTED MADE

A file holds a list of a tensor's norm and product with a fixed vector as [norm, product]; either may differ by
1e-8 of the norm. Other numbers may differ by 1e-8 of themselves. Versions and the command are not compared.
"""

import json
import pathlib
import sys

BOUND = 1e-8


def differences(committed, made, where=""):
    if isinstance(committed, dict) and isinstance(made, dict) and committed.keys() == made.keys():
        for key in sorted(committed.keys() - {"made_by"}):
            yield from differences(committed[key], made[key], f"{where}/{key}")
    elif isinstance(committed, list) and isinstance(made, list) and len(committed) == len(made):
        scale = max((abs(x) for x in committed if isinstance(x, float)), default=0)
        for i, (a, b) in enumerate(zip(committed, made)):
            if len(committed) == 2 and isinstance(a, float) and isinstance(b, float):
                if not abs(a - b) <= BOUND * scale:
                    yield f"{where}/{i}: {a} is now {b}"
            else:
                yield from differences(a, b, f"{where}/{i}")
    elif isinstance(committed, float) and isinstance(made, float):
        if not abs(committed - made) <= BOUND * abs(committed):
            yield f"{where}: {committed} is now {made}"
    elif type(committed) is not type(made) or committed != made:
        yield f"{where}: {str(committed)[:100]} is now {str(made)[:100]}"


def main():
    committed, made = ({f.name: json.loads(f.read_text()) for f in pathlib.Path(folder).glob("*.json")}
                       for folder in sys.argv[1:])
    found = list(differences(committed, made))
    for line in found[:20]:
        print(line)
    if found or not made:
        sys.exit(f"{len(found)} differences in {len(made)} files: if the reference was meant to change, renew the "
                 "golden files with make_golden.py")


if __name__ == "__main__":
    main()
