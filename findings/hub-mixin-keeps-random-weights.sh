#!/bin/bash
# huggingface_hub 2.4.0: from_pretrained of a class with PyTorchModelHubMixin leaves a layer random if the checkpoint has it under
# another name. Its strict is False, whereas that of load_state_dict is True, and it prints neither the names that are
# missing nor those left over: an encoder that was renamed from backbone to encoder is loaded without any of its weights, and a
# probe measures a random network. With strict=True it raises an error.
# Exits non-zero if the behaviour has changed. Downloads torch (3 GB with its libraries).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR=$work "$work/venv/bin/pip" --quiet --disable-pip-version-check install \
  huggingface_hub==2.4.0 safetensors==0.8.0 torch==2.11.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W error - << 'PYTHON'
import contextlib
import io

import huggingface_hub
import torch


class Before(torch.nn.Module, huggingface_hub.PyTorchModelHubMixin):
    def __init__(self):
        super().__init__()
        self.backbone = torch.nn.Linear(3, 2)


class After(torch.nn.Module, huggingface_hub.PyTorchModelHubMixin):
    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Linear(3, 2)


before = Before()
before.save_pretrained("model")
torch.manual_seed(1)
printed = io.StringIO()
with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
    after = After.from_pretrained("model")
torch.manual_seed(1)
kept = torch.equal(after.encoder.weight, After().encoder.weight)
loaded = torch.equal(Before.from_pretrained("model").backbone.weight, before.backbone.weight)
try:
    strict = After.from_pretrained("model", strict=True)
except RuntimeError as error:
    strict = type(error).__name__
print("huggingface_hub", huggingface_hub.__version__, "renamed layer still random:", kept, "printed:", repr(printed.getvalue()),
      "same name loaded:", loaded, "strict:", strict)
assert kept and loaded and strict == "RuntimeError" and "encoder" not in printed.getvalue()
PYTHON
