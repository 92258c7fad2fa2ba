#!/usr/bin/env python3
"""The report in Chromium: curves, pointer, zoom, pictures, sorting; many runs and long ones."""
import json
import math
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import tarfile

sys.path.insert(0, "page")
import browser

REPORT = pathlib.Path("tools/report/main").resolve()
FOLDER = pathlib.Path(os.environ["TEST_TMPDIR"])
VIEWS = ("random_resized_crop:size=32,scale_min=0.2|flip|color_jitter:p=0.8,brightness=0.4,contrast=0.4,"
         "saturation=0.4,hue=0.1|grayscale:p=0.2|to_tensor|normalize:mean=0.5,std=0.5")


def make_run(name, steps=400, print_freq=1, lr=0.06, per_epoch=40):
    """A run folder as pretrain writes it, on the demo's images."""
    random.seed(name)
    folder = FOLDER / name
    folder.mkdir()
    flags = {"arch": "resnet18", "batch-size": "128", "data": "", "lr": str(lr), "moco-k": "1024", "seed": "3"}
    (folder / "flags.txt").write_text("".join(f"--{flag}={value}\n" for flag, value in flags.items()))
    (folder / "settings.json").write_text(json.dumps({
        "program": "//moco:pretrain", "preset": "demo", "usual": {**flags, "lr": "0.03"},
        "settings": {"views": VIEWS, "data": "5000 images", "batch-size": "128", "moco-k": "1024"},
        "steps": steps, "steps_per_epoch": per_epoch}))
    (folder / "environment.json").write_text(json.dumps({"cpu": "a CPU", "cores": 2}))
    (folder / "bad_images.txt").write_text("cat/<1>.jpg\t'cat/<1>.jpg' is cut\n")
    with open(folder / "metrics.jsonl", "w") as metrics:
        def write(**numbers):
            metrics.write(json.dumps(numbers) + "\n")
        for step in range(1, steps + 1):
            loss = 4 + 3 * math.exp(-step / steps * 3) + random.random() * 0.3
            if step % print_freq == 0 or step == 1:
                write(step=step, epoch=(step - 1) // per_epoch, loss=loss, top1=0.3, top5=0.6,
                      lr=lr * (1 + math.cos(math.pi * step / steps)) / 2, pairs_per_second=300 + random.random(),
                      waiting=0.02)
            if step == 1:
                write(step=0, knn=0.33)
            if step % per_epoch == 0:
                write(step=step, epoch=step // per_epoch - 1, epoch_loss=loss, epoch_top1=0.3,
                      loss_of_chance=loss / 6.93, queue_filled=min(1, step * 128 / 1024), queue_age=0.2, spread=0.6,
                      dimensions=12, leak=0, a_later_measure=step / steps)
            if step % (5 * per_epoch) == 0:
                write(step=step, knn=0.33 + 0.2 * step / steps, rankme_backbone=20 + 30 * step / steps,
                      rankme_head=5 + 3 * step / steps)
    return folder


def write_matrix(path, rows, columns):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}".ljust(117) + "\n"
    values = [math.sin(i * 7.3 + d) + (3 if d == i % 3 else 0) for i in range(rows) for d in range(columns)]
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header.encode() +
                     struct.pack(f"<{len(values)}f", *values))


def make_features(name):
    """Features as another program would write them: without pictures."""
    path = FOLDER / f"{name}.npy"
    write_matrix(path, 60, 8)
    (FOLDER / f"{name}.csv").write_text("file,label\n" + "".join(f"{i}.png,{i % 3}\n" for i in range(60)))
    return path


def make_images(classes, count):
    """A folder of the demo's test images by class, with a part for training and one for validation."""
    folder = FOLDER / "images"
    with tarfile.open("data/demo/test/test-0.tar") as tar:
        for member in tar.getmembers():
            name, _, image = member.name.rpartition("/")
            if pathlib.PurePath(name).name in classes and int(pathlib.PurePath(image).stem) < count:
                for split in ("train", "val"):
                    path = folder / split / pathlib.PurePath(name).name / image
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(tar.extractfile(member).read())
    return folder


def make_sample(run, images):
    """The features that pretraining keeps of a sample, with their images."""
    files = sorted((images / "train").rglob("*.jpg"))
    (run / "sample").mkdir()
    (run / "sample/images.csv").write_text("index,file\n" + "".join(f"{i},{f}\n" for i, f in enumerate(files)))
    for name in ("start", "now"):
        write_matrix(run / "sample" / f"{name}.npy", len(files), 8)
    flags = run / "flags.txt"
    flags.write_text(flags.read_text().replace("--data=\n", f"--data={images}\n"))


def make_lincls(name, images, seed=1):
    """A run folder as lincls writes it."""
    random.seed(seed)
    folder = FOLDER / name
    folder.mkdir()
    (folder / "flags.txt").write_text(f"--data={images}\n--lr={seed}\n")
    (folder / "settings.json").write_text(json.dumps({
        "program": "//lincls:lincls", "preset": "", "usual": {"lr": "30"}, "settings": {"arch": "resnet18"},
        "steps": 100, "steps_per_epoch": 10}))
    with open(folder / "metrics.jsonl", "w") as metrics:
        for step in range(10, 101, 10):
            metrics.write(json.dumps({"step": step, "epoch": step // 10 - 1, "validation_loss": 2 - step / 100,
                                      "validation_acc1": 0.2 + step / 300, "validation_acc5": 0.9,
                                      "best_acc1": 0.2 + step / 300}) + "\n")
    files = sorted((images / "val").rglob("*.jpg"))
    classes = sorted({f.parent.name for f in files})
    (folder / "predictions.csv").write_text("file,label,predicted,probability\n" + "".join(
        f"{f},{f.parent.name},{random.choice(classes) if random.random() < 0.5 else f.parent.name},"
        f"{random.random():.3f}\n" for f in files))
    return folder


def make_sweep(name, images):
    folder = FOLDER / name
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps({
        "program": "//lincls:sweep", "settings": {"arch": "resnet18"}, "steps": 100, "steps_per_epoch": 10,
        "arguments": ["train", "val"], "images": {"data": str(images), "split": "validation"}}))
    rows = [(lr, epoch, 0.5 - 0.02 * abs(lr - 3) - 0.3 / epoch) for epoch in range(1, 11) for lr in range(1, 16)]
    (folder / "epochs.csv").write_text("features,lr,weight_decay,epoch,acc1,acc5,loss\n" + "".join(
        f"backbone,{lr},0,{epoch},{acc1:.4f},0.9,1.5\n" for lr, epoch, acc1 in rows))
    (folder / "sweep.csv").write_text("features,lr,weight_decay,best_epoch,best_acc1\n" + "".join(
        f"backbone,{lr},0,10,{acc1:.4f}\n" for lr, epoch, acc1 in rows if epoch == 10))
    (folder / "predictions.csv").write_bytes((FOLDER / "classifier/predictions.csv").read_bytes())
    return folder


def report(out, *arguments):
    path = FOLDER / out
    done = subprocess.run([REPORT, *arguments, f"--out={path}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return path


def paths_of(page):
    return page.evaluate("[...document.querySelectorAll('.chart path')].map((p) => p.getAttribute('d'))")


def test_one_run(chromium):
    path = report("one.html", make_run("one"), f"--features={make_features('features')}")
    browser.check_everywhere(chromium, path)
    page = chromium.open(path)
    titles = page.evaluate("[...document.querySelectorAll('.chart h3')].map((h) => h.textContent)")
    for title in ("Loss", "RankMe", "Learning rate", "Waiting for data", "a_later_measure"):
        assert title in titles, titles
    drawn = paths_of(page)
    assert len(drawn) >= len(titles) and all(len(d) > 20 and "NaN" not in d for d in drawn), drawn
    assert "the queue fills" in page.evaluate("document.querySelector('.plot').textContent")
    assert page.evaluate("document.querySelectorAll('.chart .level').length") == 1
    # The phase is grey in the charts of the losses and of the pretext task.
    assert page.evaluate("document.querySelectorAll('.chart .span').length") == 3

    # Bold is what differs from the preset.
    assert page.evaluate("getComputedStyle(document.querySelector('.unusual code')).fontWeight") >= "600"

    # Values under the pointer.
    x, y = page.centre(".plot")
    page.mouse("mouseMoved", x, y)
    tip = page.evaluate("getComputedStyle(tip).display + tip.textContent")
    assert tip.startswith("block") and re.search(r"loss of a step[\d.]+step 1\d\d", tip), tip

    # Dragging enlarges a part, in all charts; a button shows all again.
    page.mouse("mousePressed", x - 60, y)
    page.mouse("mouseMoved", x, y)
    page.mouse("mouseMoved", x + 60, y)
    page.mouse("mouseReleased", x + 60, y)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    zoomed = paths_of(page)
    assert all(a != b for a, b in zip(drawn, zoomed)), "the drawing has not changed"
    page.click("#curve-bar button")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert paths_of(page) == drawn, "not all is shown again"

    # Pictures: three of each image, which open.
    assert page.evaluate("document.querySelectorAll('.pairs figure').length") == 24
    assert page.evaluate("document.querySelectorAll('.pairs img').length") == 72
    page.click(".pairs img", 1)
    assert page.evaluate("viewer.open && viewer.querySelector('img').src === "
                         "document.querySelectorAll('.pairs img')[1].src")
    page.key("ArrowRight")
    assert page.evaluate("viewer.querySelector('img').src === document.querySelectorAll('.pairs img')[2].src")
    page.key("Escape")
    assert not page.evaluate("viewer.open")

    # The map of the features.
    x, y = page.centre("#feature-map canvas")
    coloured = page.evaluate("""(() => {
      const canvas = document.querySelector("#feature-map canvas");
      return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.filter((v, i) => i % 4 === 3 && v).length;
    })()""")
    assert coloured > 500, coloured
    assert not page.errors, page.errors


def ink_of(page):
    """How many pixels of the map are drawn, and their mean brightness."""
    return page.evaluate("""(() => {
      const canvas = document.querySelector("#feature-map canvas");
      const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      let count = 0, sum = 0;
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 150) {
        ++count;
        sum += (data[i] + data[i + 1] + data[i + 2]) / 3;
      }
      return [count, sum / count];
    })()""")


def test_sample(chromium, images):
    run = make_run("sampled")
    make_sample(run, images)
    path = report("sampled.html", run)
    browser.check_everywhere(chromium, path)
    page = chromium.open(path, dark=True)
    # Neighbours now and at the start, of twelve images; those of the same class have a frame.
    assert page.evaluate("document.querySelectorAll('.neighbours table').length") == 12
    assert page.evaluate("document.querySelectorAll('.neighbours img').length") == 12 * 13
    assert page.evaluate("document.querySelectorAll('.neighbours td.same').length") > 0
    # Colours by label, then by cluster; the picture under the pointer.
    labels = page.evaluate("document.getElementById('feature-key').textContent")
    assert "airplane" in labels, labels
    page.click("#feature-bar button", 1)
    assert "cluster 1" in page.evaluate("document.getElementById('feature-key').textContent")
    page.click("#feature-bar button", 0)
    x, y = page.evaluate("""(() => {
      const canvas = document.querySelector("#feature-map canvas");
      canvas.scrollIntoView({ block: "center" });
      const box = canvas.getBoundingClientRect();
      const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 150) {
        return [box.left + i / 4 % canvas.width, box.top + Math.floor(i / 4 / canvas.width)];
      }
    })()""")
    page.mouse("mouseMoved", x, y)
    assert page.evaluate("getComputedStyle(tip).display + tip.textContent").startswith("block")
    assert page.evaluate("getComputedStyle(tip.querySelector('canvas')).display") == "block"
    # On paper the map has the colours for white, also of a dark page.
    ink, brightness = ink_of(page)
    page.send("Emulation.setEmulatedMedia", media="print",
              features=[{"name": "prefers-color-scheme", "value": "dark"}])
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    printed_ink, printed = ink_of(page)
    assert printed_ink > 100 and printed < brightness - 15, (brightness, printed)
    assert not page.errors, page.errors


def test_classes(chromium, images):
    path = report("classes.html", make_lincls("classifier", images))
    browser.check_everywhere(chromium, path)
    page = chromium.open(path)
    assert page.evaluate("document.querySelectorAll('.confusion rect').length") > 5
    page.mouse("mouseMoved", *page.centre(".confusion rect"))
    tip = page.evaluate("getComputedStyle(tip).display + tip.textContent")
    assert re.match(r"block\w+ taken for \w+: \d+ of 20", tip), tip
    page.mouse("mouseMoved", 5, 5)
    assert page.evaluate("getComputedStyle(tip).display") == "none"
    # The best and the worst classes, with pictures that open.
    assert page.evaluate("document.querySelectorAll('.examples').length") == 4
    page.click(".examples img")
    assert "classified as" in page.evaluate("viewer.open && viewer.textContent")
    page.key("Escape")
    # Classes by accuracy.
    head = page.evaluate("[...document.querySelectorAll('.classes th')].map((h) => h.textContent)").index("Acc@1")
    page.click(".classes th button", head)
    values = page.evaluate(f"[...document.querySelectorAll('.classes tbody tr')].map((r) => +r.cells[{head}].dataset.value)")
    assert len(values) == 5 and values == sorted(values), values
    titles = page.evaluate("[...document.querySelectorAll('.chart h3')].map((h) => h.textContent)")
    assert "Accuracy" in titles, titles
    assert not page.errors, page.errors

    sweep = make_sweep("sweep", images)
    path = report("sweep.html", sweep)
    browser.check_everywhere(chromium, path)
    page = chromium.open(path)
    chart = "[...document.querySelectorAll('.chart')].find((c) => c.textContent.startsWith('Accuracy of the probes by epoch'))"
    assert page.evaluate(chart + ".querySelectorAll('path').length") == 10
    assert page.evaluate("document.querySelectorAll('.confusion rect').length") > 5

    path = report("compared.html", FOLDER / "classifier", make_lincls("other", images, seed=2), sweep)
    browser.check_everywhere(chromium, path)
    page = chromium.open(path)
    assert page.evaluate("[...document.querySelectorAll('h2')].some((h) => h.textContent === 'Accuracy of each class')")
    page.click("details.each > summary")
    assert page.evaluate("document.querySelector('details.each .confusion').getBoundingClientRect().width") > 100
    assert not page.errors, page.errors


def test_many_runs(chromium):
    folders = [make_run(f"many-{i:02d}", steps=2000, lr=0.01 * (i + 1)) for i in range(50)]
    path = report("many.html", *folders)
    assert path.stat().st_size < 10e6, path.stat().st_size
    page = chromium.open(path)
    print(f"50 runs: {path.stat().st_size / 1e6:.1f} MB, open in {page.seconds:.2f} s")
    assert not page.errors, page.errors
    assert page.evaluate("document.documentElement.scrollWidth") <= 1200
    assert len(paths_of(page)) > 50 * 8
    # Where the queue of each is full.
    assert page.evaluate("document.querySelectorAll('.plot')[0].querySelectorAll('.phase').length") == 50
    # Sorting by the setting that differs, as numbers; then the other way around.
    heads = page.evaluate("[...document.querySelectorAll('.runs th')].map((h) => h.textContent)")
    column = heads.index("--lr")
    for expected in ("many-00", "many-49"):
        page.click(".runs th button", column)
        assert page.evaluate("document.querySelector('.runs tbody tr').cells[0].textContent") == expected
    # A run that is switched off is not drawn.
    before = len(paths_of(page))
    page.evaluate("[...document.querySelectorAll('#curve-bar button')].find((b) => b.textContent === 'many-07').click()")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert len(paths_of(page)) < before
    x, y = page.centre(".plot")
    page.mouse("mouseMoved", x, y)
    assert "more" in page.evaluate("tip.textContent")
    # On paper the dots keep their colours, which say whose curve is whose.
    page.send("Emulation.setEmulatedMedia", media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('i.run')).printColorAdjust") == "exact"
    narrow = chromium.open(path, width=360, dark=True)
    assert not narrow.errors and narrow.evaluate("document.documentElement.scrollWidth") <= 360


def test_long_run(chromium):
    path = report("long.html", make_run("long", steps=200_000, per_epoch=1000))
    size = path.stat().st_size
    assert size < 10e6, size
    page = chromium.open(path)
    print(f"200,000 steps: {size / 1e6:.1f} MB, open in {page.seconds:.2f} s, computed {page.cpu_seconds:.2f} s")
    # 0.5 s on a quiet machine; on a busy one it takes as long as it is busy.
    assert page.seconds < 2 or page.cpu_seconds < 2, (page.seconds, page.cpu_seconds)
    assert not page.errors, page.errors


with browser.start() as chromium:
    test_one_run(chromium)
    demo = make_images(("airplane", "automobile", "bird", "cat", "deer"), 20)
    test_sample(chromium, demo)
    test_classes(chromium, demo)
    test_many_runs(chromium)
    test_long_run(chromium)
print("PASSED")
