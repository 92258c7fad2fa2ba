#!/bin/bash
# difPy 4.2.1 drops the transparency before it compares: black icons on a transparent background, such as a cross and a disc,
# are all the same black picture, with a difference of 0, and its search for "duplicates" finds that one of them is enough.
# Its delete() then removes the others. The same icons on white are no duplicates.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  difPy==4.2.1 pillow==13.0.0 numpy==2.4.6
cd "$work"
cat > find.py << 'PYTHON'
import importlib.metadata
import os

import difPy
from PIL import Image, ImageDraw


def icon(draw, shape):
    if shape == "disc":
        draw.ellipse((8, 8, 56, 56), fill="black")
    elif shape == "cross":
        draw.line((8, 8, 56, 56), fill="black", width=8)
        draw.line((8, 56, 56, 8), fill="black", width=8)
    else:
        draw.rectangle((8, 28, 56, 36), fill="black")


if __name__ == "__main__":
    found = {}
    for folder, mode, background in ("transparent", "RGBA", (0, 0, 0, 0)), ("white", "RGB", "white"):
        os.mkdir(folder)
        for shape in "disc", "cross", "minus":
            image = Image.new(mode, (64, 64), background)
            icon(ImageDraw.Draw(image), shape)
            image.save(f"{folder}/{shape}.png")
        search = difPy.search(difPy.build(folder, processes=1, show_progress=False), similarity="duplicates", processes=1,
                              show_progress=False)
        found[folder] = len(search.lower_quality)
    print("difPy", importlib.metadata.version("difPy"), "icons of three that delete() would remove:", found)
    assert found == {"transparent": 2, "white": 0}
PYTHON
"$work/venv/bin/python" find.py
