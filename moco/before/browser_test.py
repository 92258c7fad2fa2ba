#!/usr/bin/env python3
"""The pages that pretrain writes before a run, in Chromium."""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, "page")
import browser

PRETRAIN = pathlib.Path("moco/pretrain").resolve()
FOLDER = pathlib.Path(os.environ["TEST_TMPDIR"])


def look(flag, name, *flags):
    page = FOLDER / name
    done = subprocess.run([PRETRAIN, *flags, f"--{flag}={page}"], capture_output=True, text=True, cwd=FOLDER)
    assert done.returncode == 0, done.stderr + done.stdout
    return page


views = look("preview", "views.html")
rate = look("find-lr", "lr.html", "--arch=resnet_small:width=8,blocks=1,stages=2", "--batch-size=32", "--bn-splits=2",
            "--moco-k=64", "--threads=1", "--workers=1")
with browser.start() as chromium:
    for path in (views, rate):
        browser.check_everywhere(chromium, path)
    page = chromium.open(views)
    assert page.evaluate("document.querySelectorAll('.steps').length") == 6
    assert page.evaluate("document.querySelectorAll('.pairs figure').length") == 24
    assert page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    page.click(".steps img")
    assert page.evaluate("document.getElementById('viewer').open")
    assert not page.errors, page.errors
    page = chromium.open(rate)
    assert page.evaluate("document.querySelectorAll('.plot path.line').length") == 1
    assert page.evaluate("document.querySelector('.plot rect.span') !== null")
    x, y = page.centre(".plot")
    page.mouse("mouseMoved", x, y)
    tip = page.evaluate("document.getElementById('tip').textContent")
    assert "learning rate" in tip and "smoothed" in tip, tip
    assert not page.errors, page.errors
    # The name of the suggestion is within the drawing, however narrow that is.
    page = chromium.open(rate, width=360)
    assert page.evaluate("""(() => {
      const drawing = document.querySelector(".plot svg svg"), box = drawing.getBoundingClientRect();
      return [...drawing.querySelectorAll("text")].every((text) => {
        const name = text.getBoundingClientRect();
        return name.left >= box.left - 1 && name.right <= box.right + 1;
      });
    })()""")
    if "SCREENSHOTS" in os.environ:
        for path in (views, rate):
            for width, dark in ((1200, False), (360, True)):
                chromium.open(path, width=width, dark=dark).screenshot(
                    pathlib.Path(os.environ["SCREENSHOTS"]) / f"{path.stem}-{width}.png", whole=True)
print("PASSED")
