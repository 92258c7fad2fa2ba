"""Draws docs/picture/demo.png, the picture of the README, from what our programs write. Needs Pillow 13.0.0.

  bazel run //moco:pretrain -- --seed=1 --knn-every=2 --run-dir=RUN
  bazel run //lincls:features -- --pretrained=RUN --split=SPLIT --out=trained/SPLIT      # SPLIT: training, validation
  bazel run //lincls:untrained_checkpoint -- resnet_small:width=64,blocks=1,stages=3,stem=imagenet VIEWS FILE 1
  bazel run //lincls:features -- --pretrained=FILE --split=SPLIT --out=untrained/SPLIT   # VIEWS: eval_views of RUN
  bazel run //lincls:knn -- WHICH/training WHICH/validation --nearest=5 --neighbours=IMAGES \
    --sheet=WHICH.png > WHICH.txt                                                        # WHICH: untrained, trained
  python docs/picture/make_picture.py RUN/metrics.csv FOLDER docs/picture/demo.png       # FOLDER has WHICH.png, .txt

IMAGES of the picture: test-0.tar:CLASS/0002.jpg of airplane, automobile, deer, horse, ship. The committed picture is of a
run that began with --epochs=20, went on after 4 of them with --epochs=10, and was stopped after 8.
"""

import csv
import re
import sys

from PIL import Image, ImageDraw, ImageFont

SCALE = 2  # drawn larger and reduced at the end, which smooths lines
WIDTH, HEIGHT = 1200, 470
TEXT, FAINT, GRID = "#222222", "#666666", "#dddddd"
KNN, LOSS, RIGHT = "#1f6fb4", "#c2571a", "#2a9d3a"
CHANCE = "#888888"
TILE = 50  # of an image in the picture
SHEET_TILE, SHEET_GAP = 96, 24  # in a sheet of //lincls:knn: of an image, and after the first of a row


def font(size):
    return ImageFont.load_default(size * SCALE)


class Canvas:
    """Draws in pixels of the finished picture."""

    def __init__(self):
        self.image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), "white")
        self.draw = ImageDraw.Draw(self.image)

    def line(self, points, color, width=1.0):
        self.draw.line([(x * SCALE, y * SCALE) for x, y in points], fill=color, width=round(width * SCALE), joint="curve")

    def dashed(self, x0, x1, y, color):
        for x in range(round(x0), round(x1), 8):
            self.line([(x, y), (min(x + 4, x1), y)], color)

    def dot(self, x, y, color, radius=3):
        self.draw.ellipse([(x - radius) * SCALE, (y - radius) * SCALE, (x + radius) * SCALE, (y + radius) * SCALE], fill=color)

    def text(self, x, y, words, size=13, color=TEXT, anchor="la"):
        self.draw.text((x * SCALE, y * SCALE), words, fill=color, font=font(size), anchor=anchor)

    def tile(self, x, y, tile, frame):
        if frame:
            edge = 3
            self.draw.rectangle([(x - edge) * SCALE, (y - edge) * SCALE, (x + TILE + edge) * SCALE - 1,
                                 (y + TILE + edge) * SCALE - 1], fill=frame)
        self.image.paste(tile.resize((TILE * SCALE, TILE * SCALE), Image.Resampling.BICUBIC), (x * SCALE, y * SCALE))


def chart(canvas, top, height, title, color, points, low, high, step, unit, epochs, level=None):
    """One curve over epochs; `level` is (value, words) of a dashed line."""
    left, right = 62, 440

    def place(epoch, value):
        return left + (right - left) * epoch / epochs, top + height * (high - value) / (high - low)

    canvas.text(left, top - 26, title, 14, color)
    value = low
    while value <= high + 1e-9:
        _, y = place(0, value)
        canvas.line([(left, y), (right, y)], GRID)
        canvas.text(left - 8, y, f"{value:g}{unit}", 12, FAINT, "rm")
        value += step
    for epoch in range(0, epochs + 1, 10 if epochs > 20 else 2):
        x, y = place(epoch, low)
        canvas.text(x, y + 6, str(epoch), 12, FAINT, "ma")
    if level:
        _, y = place(0, level[0])
        canvas.dashed(left, right, y, CHANCE)
        canvas.text(right, y - 3, level[1], 12, FAINT, "rd")
    canvas.line([place(*point) for point in points], color, 2)
    if len(points) < 20:
        for point in points:
            canvas.dot(*place(*point), color)
        for point, anchor in ((points[0], "lt"), (points[-1], "rb")):
            x, y = place(*point)
            canvas.text(x + (8 if anchor == "lt" else 0), y + (6 if anchor == "lt" else -8), f"{point[1]:.1f}{unit}", 13,
                        color, anchor)


def read_neighbours(path):
    """Rows of classes as //lincls:knn prints them: the image's own, then its neighbours'."""
    rows = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            found = re.search(r"(\w+)/\d+\.jpg", line)
            if not found:
                continue
            if line[0].isspace():
                rows[-1].append(found[1])
            else:
                rows.append([found[1]])
    return rows


def neighbours(canvas, left, top, title, sheet, rows):
    canvas.text(left, top - 26, title, 14)
    for i, classes in enumerate(rows):
        y = top + i * (TILE + 18)
        for j, name in enumerate(classes[1:], start=1):
            x = SHEET_GAP + j * SHEET_TILE
            tile = sheet.crop((x, i * SHEET_TILE, x + SHEET_TILE, (i + 1) * SHEET_TILE))
            canvas.tile(left + (j - 1) * (TILE + 8), y, tile, RIGHT if name == classes[0] else None)


def main(metrics, folder, out):
    with open(metrics, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    ends = [row for row in rows if row["epoch_loss"]]  # of epochs
    steps = int(ends[0]["step"])  # in an epoch
    loss = [(int(row["step"]) // steps, float(row["epoch_loss"])) for row in ends]
    knn = [(int(row["step"]) // steps, 100 * float(row["knn"])) for row in rows if row["knn"]]
    chance = float(ends[0]["epoch_loss"]) / float(ends[0]["loss_of_chance"])
    epochs = loss[-1][0]

    canvas = Canvas()
    chart(canvas, 50, 150, "kNN accuracy on the test images", KNN, knn, 30, 50 if knn[-1][1] > 44 else 45, 5, " %", epochs)
    chart(canvas, 275, 130, "Loss", LOSS, loss, 3.5, 6, 0.5, "", epochs, (chance, "guessing"))
    canvas.text(251, 432, "epoch", 13, FAINT, "ma")

    queries, top = 490, 76
    for i, title in enumerate(["untrained", "trained"]):
        sheet = Image.open(f"{folder}/{title}.png").convert("RGB")
        rows = read_neighbours(f"{folder}/{title}.txt")
        if i == 0:
            canvas.text(queries, top - 26, "Image", 14)
            for j in range(len(rows)):
                y = top + j * (TILE + 18)
                canvas.tile(queries, y, sheet.crop((0, j * SHEET_TILE, SHEET_TILE, (j + 1) * SHEET_TILE)), None)
        neighbours(canvas, queries + 80 + i * 312, top, f"Nearest, {title} encoder", sheet, rows)
    canvas.text(queries, 424, "Test images, and the training images with the most similar features.", 13, FAINT)
    canvas.text(queries, 444, "Green: the same class. Training used no class labels.", 13, FAINT)
    canvas.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).quantize(256).save(out, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
