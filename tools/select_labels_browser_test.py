#!/usr/bin/env python3
"""The page of select_labels in Chromium: the map, the names under the pointer, sorting."""
import math
import os
import pathlib
import struct
import subprocess
import sys

sys.path.insert(0, "page")
import browser

SELECT = pathlib.Path("tools/select_labels").resolve()
FOLDER = pathlib.Path(os.environ["TEST_TMPDIR"])

rows, columns = 300, 8
header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}".ljust(117) + "\n"
values = [math.sin(i * 7.3 + d * d) + (3 if d == i % 4 else 0) for i in range(rows) for d in range(columns)]
(FOLDER / "x.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header.encode() +
                               struct.pack(f"<{len(values)}f", *values))
(FOLDER / "x.csv").write_text("file\n" + "".join(f"{i}.png\n" for i in range(rows)))
page_file = FOLDER / "page.html"
done = subprocess.run([SELECT, FOLDER / "x.npy", "--budget=40", f"--out={FOLDER / 'request.csv'}",
                       f"--page={page_file}"], capture_output=True, text=True)
assert done.returncode == 0, done.stderr
with browser.start() as chromium:
    browser.check_everywhere(chromium, page_file)
    page = chromium.open(page_file)
    drawn = page.evaluate("""(() => {
      const canvas = document.querySelector(".map canvas");
      const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      for (let i = 0; i < canvas.width * canvas.height; ++i) {
        if (data[4 * i + 3] > 200) return [i % canvas.width, Math.floor(i / canvas.width)];
      }
    })()""")
    assert drawn, "the map is empty"
    left, top = page.evaluate("""(() => {
      const canvas = document.querySelector(".map canvas");
      canvas.scrollIntoView({ block: "center" });
      const box = canvas.getBoundingClientRect();
      return [box.left, box.top];
    })()""")
    page.mouse("mouseMoved", left + drawn[0], top + drawn[1] + 2)
    tip = page.evaluate("getComputedStyle(tip).display + ' ' + tip.textContent")
    assert tip.startswith("block") and ".png" in tip, tip
    page.mouse("mouseMoved", left - 5, top - 5)
    assert page.evaluate("getComputedStyle(tip).display") == "none"
    if page.evaluate("document.querySelectorAll('button[data-key]').length") > 0:
        page.click("button[data-key=chosen]")
        chosen = page.evaluate("[...document.querySelectorAll('.group')].map((g) => Number(g.dataset.chosen))")
        assert chosen == sorted(chosen, reverse=True), chosen
        page.click("#open-all")
        assert page.evaluate("[...document.querySelectorAll('.group')].every((g) => g.open)")
    assert not page.errors, page.errors
print("PASSED")
