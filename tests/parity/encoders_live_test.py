"""Files with encoders that other packages write, read by //lincls:features without --arch: the features are those of the
package's own network. The table of all files is the one in docs/encoders.md.

    encoders_live_test.py FEATURES EXPORT INSPECT DEMO PAGE [--write]

--write renews the table in the page.
"""

import importlib.metadata
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

scratch = os.environ.get("TEST_TMPDIR") or tempfile.mkdtemp()
os.environ.update(HF_HUB_OFFLINE="1", HF_HOME=f"{scratch}/hugging_face", LIGHTLY_TRAIN_EVENTS_DISABLED="1",
                  LIGHTLY_TRAIN_CACHE_DIR=f"{scratch}/lightly_train", LIGHTLY_DID_VERSION_CHECK="True",
                  NO_ALBUMENTATIONS_UPDATE="1", MPLCONFIGDIR=f"{scratch}/matplotlib", GLOO_SOCKET_IFNAME="lo", HOME=scratch)

import numpy as np
import safetensors.torch
import torch

import bridge
import encoder_files
import exports
import ssl_files

SIZE = 32
VIEWS = f"resize:size={SIZE}|center_crop:size={SIZE}|to_tensor|normalize"
BEGIN = "<!-- Made by tests/parity/encoders_live_test.py; do not edit. -->"
END = "<!-- End of what is made. -->"


class Programs:
    def __init__(self, paths, work, images):
        self.features, self.export, self.inspect = (str(pathlib.Path(path).absolute()) for path in paths)
        self.work, self.images = work, images
        self.pixels = exports.photographs(images, SIZE)

    def run(self, *words):
        return subprocess.run(list(map(str, words)), capture_output=True, text=True)

    def row(self, file):
        """Checks one file. Returns its row of the table."""
        what = f"{file.package}, {file.written_by} {' '.join(file.flags)}"
        listing = self.run(self.inspect, file.path)
        container = re.search(r": (\w+), (\d+) tensors", listing.stdout)
        assert listing.returncode == 0 and int(container[2]) > 0, (what, listing.stderr)
        out = self.work / "features"
        subprocess.run(["rm", "-rf", out], check=True)
        done = self.run(self.features, self.images, f"--pretrained={file.path}", f"--eval-views={VIEWS}", "--threads=1",
                        f"--out={out}", *file.flags)
        for text in file.said:
            assert text in done.stdout + done.stderr, (what, text, done.stdout, done.stderr)
        if file.network is None:
            assert done.returncode == 2 and done.stderr.count("\n") == 1, (what, done.returncode, done.stderr)
            print(f"{what}: refused: {done.stderr.strip()}", flush=True)
            prefix, read = "", f"refused: `{file.said[0].strip(chr(39))}`"
        else:
            assert done.returncode == 0, (what, done.stderr)
            with torch.no_grad():
                expected = file.network(self.pixels)
            exports.check(what, torch.from_numpy(np.load(out / "backbone.npy")), expected)
            settings = json.loads((out / "features.json").read_text())
            settings = settings.get("settings", settings)
            prefix, read = settings["encoder_prefix"], f"`{settings['arch']}`"
            self.check_export(what, file)
        version = "by hand" if file.by_hand else importlib.metadata.version(file.package)
        # Versions of torch's wheels may name the CPU.
        cells = (f"{file.package} {version.split('+')[0]}", " ".join([file.written_by, *(f"`{f}`" for f in file.flags)]),
                 container[1], f"`{prefix}`" if prefix else "", read)
        return f"| {' | '.join(cells)} |"

    def check_export(self, what, file):
        """What one program reads, all read."""
        out = self.work / "out.safetensors"
        done = self.run(self.export, file.path, "--to=safetensors", f"--out={out}", *file.flags)
        assert done.returncode == 0, (what, done.stderr)
        assert "conv1.weight" in safetensors.torch.load_file(out), what


def table(programs, images):
    lines = ["| package | written by | file | prefix | read as |", "| --- | --- | --- | --- | --- |"]
    writers = [encoder_files.of_torchvision, encoder_files.of_torch, encoder_files.of_timm, encoder_files.of_transformers,
               encoder_files.of_lightning]
    others = [ssl_files.of_lightly, ssl_files.of_lightly_train, ssl_files.of_mmengine, ssl_files.of_solo_learn,
              ssl_files.of_moco]
    for writer in [*writers, *others]:
        torch.manual_seed(0)
        with tempfile.TemporaryDirectory(dir=programs.work) as folder:
            folder = pathlib.Path(folder)
            for file in writer(folder, images) if writer in others else writer(folder):
                lines.append(programs.row(file))
    return "\n".join(lines)


def main():
    write = sys.argv[-1] == "--write"
    *paths, demo, page = sys.argv[1:len(sys.argv) - write]
    page = pathlib.Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", ".") if write else ".") / page
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=scratch) as work:
        work = pathlib.Path(work)
        bridge.unpack(pathlib.Path(demo), work / "images", 2)
        made = table(Programs(paths, work, work / "images"), work / "images")
    text = page.read_text()
    before, rest = text.split(BEGIN)
    held, after = rest.split(END)
    if write:
        page.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{after}")
    elif held.strip() != made:
        print(made)
        sys.exit(f"{page} has another table; renew it: "
                 "bazel run --config=parity //tests/parity:encoders_live_test -- --write")


if __name__ == "__main__":
    main()
