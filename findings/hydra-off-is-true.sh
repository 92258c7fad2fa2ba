#!/bin/bash
# Hydra 1.3.8 with OmegaConf 2.3.1: the same text has other values on the command line than in the file: amp=off (no, on, yes) is
# the word "off", which Python takes for true, so that `train.py amp=off` turns on what `amp: off` in the file turns off.
# seed=010 is a word, too, and 8 in the file. OmegaConf.from_dotlist reads all of them as the file does.
# Exits non-zero if the behaviour has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  hydra-core==1.3.8 omegaconf==2.3.1
cd "$work"
"$work/venv/bin/python" - << 'PYTHON'
import importlib.metadata

import hydra
from omegaconf import OmegaConf

with open("config.yaml", "w") as file:
    file.write("amp: true\n")
found = {}
with hydra.initialize_config_dir(version_base=None, config_dir=__import__("os").getcwd()):
    for text in "off", "no", "on", "false", "010", "1e-3":
        found[text] = (OmegaConf.create("amp: " + text).amp, OmegaConf.from_dotlist(["amp=" + text]).amp,
                       hydra.compose("config", ["amp=" + text]).amp)
print("hydra-core", importlib.metadata.version("hydra-core"), "omegaconf", importlib.metadata.version("omegaconf"),
      "in the file, from_dotlist, on the command line:", found)
assert found == {"off": (False, False, "off"), "no": (False, False, "no"), "on": (True, True, "on"), "false": (False, False, False),
                 "010": (8, 8, "010"), "1e-3": (0.001, 0.001, 0.001)}
assert bool(found["off"][2]) is True
PYTHON
