#!/usr/bin/env python3
"""The doctor's page in Chromium."""
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

sys.path.insert(0, "page")
import browser

DOCTOR = pathlib.Path("tools/doctor/main").resolve()
FOLDER = pathlib.Path(os.environ["TEST_TMPDIR"])

# Some of the demo's images, a copy, one that is cut, and a name that is long and could be HTML.
images = FOLDER / "images"
with tarfile.open("data/demo/test/test-0.tar") as archive:
    members = [member for member in archive.getmembers() if member.isfile()][::25]
    for member in members:
        target = images / "train" / member.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(archive.extractfile(member).read())
        first = target
shutil.copy(first, first.with_name("<b>copy<b> " + "of a long name " * 8 + first.suffix))
first.with_name("cut" + first.suffix).write_bytes(first.read_bytes()[:60])

page_file = FOLDER / "page.html"
done = subprocess.run([DOCTOR, images, "--noestimate", f"--page={page_file}"], capture_output=True, text=True)
assert done.returncode == 0, done.stderr
with browser.start() as chromium:
    browser.check_everywhere(chromium, page_file)
    page = chromium.open(page_file)
    assert page.evaluate("document.querySelectorAll('.sheet img').length") >= 2
    assert page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    assert page.evaluate("document.querySelectorAll('.names span[title*=\"<b>copy<b>\"]').length") >= 1
    # The names are above their pictures.
    assert page.evaluate("""(() => {
      const name = document.querySelector(".names span");
      name.scrollIntoView({ block: "center" });
      const box = name.getBoundingClientRect();
      return document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2) === name && box.width > 20;
    })()""")
    page.click(".files summary")
    assert page.evaluate("document.querySelector('.files').open")
    assert not page.errors, page.errors
print("PASSED")
