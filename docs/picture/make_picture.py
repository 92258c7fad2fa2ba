"""Draws docs/picture/demo.png, the picture of the README, from parts of a report.

  bazel run //moco:pretrain -- --run-dir=RUN                                                  # the demo, --seed=0
  bazel run //lincls:features -- --pretrained=RUN --split=validation --out=TRAINED
  bazel run //lincls:untrained_checkpoint -- ARCH VIEWS FILE 0                    # --arch, --eval-views of RUN/flags.txt
  bazel run //lincls:features -- --pretrained=FILE --split=validation --out=UNTRAINED
  bazel run //tools:report -- RUN --features=TRAINED --features-before=UNTRAINED --out=report.html
  python3 docs/picture/make_picture.py report.html docs/picture/demo.png

It needs Debian's chromium. The report's first five queries are the first test image of each of the first five classes,
so that nobody has chosen them.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "page"))
import browser

WIDTH, QUERIES = 1200, 5
CHARTS = ("Accuracy of kNN and linear probe", "Loss")

ARRANGE = """(() => {
  [...document.querySelectorAll("#curve-bar button")].find((button) => button.textContent === "Epochs").click();
  const column = (...nodes) => {
    const made = document.createElement("div");
    made.append(...nodes);
    return made;
  };
  const charts = %s.map((title) =>
    [...document.querySelectorAll(".chart")].find((chart) => chart.querySelector("h3").textContent === title));
  const tables = [...document.querySelectorAll(".neighbours table")].slice(0, %d);
  const title = document.createElement("h3"), note = document.createElement("p");
  title.textContent = "Nearest neighbours among the 1,000 test images";
  note.className = "quiet";
  note.textContent = "Above by the trained encoder, below before training. Framed: the same class. " +
    "Training used no class labels.";
  title.style.margin = "12px 0 0";
  note.style.cssText = "font-size: 13px; margin: 0 0 4px";
  const neighbours = column(...tables);
  neighbours.className = "neighbours";
  neighbours.style.display = "block";
  const all = column(column(...charts), column(title, note, neighbours));
  all.style.cssText = "display: grid; grid-template-columns: 1fr 480px; gap: 44px";
  document.body.replaceChildren(all, document.getElementById("tip"));
  document.body.style.cssText = "max-width: none; padding: 4px 20px 12px";
  dispatchEvent(new Event("resize"));
})()"""


def main(report, out):
    with browser.start() as chromium:
        page = chromium.open(report, width=WIDTH)
        page.evaluate(ARRANGE % (list(CHARTS), QUERIES))
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        height = page.evaluate("document.body.scrollHeight")
        page.send("Emulation.setDeviceMetricsOverride", width=WIDTH, height=height, deviceScaleFactor=1, mobile=False)
        assert not page.errors, page.errors
        page.screenshot(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
