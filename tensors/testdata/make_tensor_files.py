"""Writes tensor_files/: files as PyTorch and safetensors write them, tiny, and what is in them.

    python make_tensor_files.py tensor_files      # torch 2.11.0, numpy 2.4.6, safetensors 0.8.0

expected.txt has a line for each tensor: file, name, dtype, shape, zlib.crc32 of its elements.
"""

import argparse
import collections
import os
import pickle
import sys
import zlib

import numpy as np
import torch
from safetensors.torch import save_file

os.chdir(sys.argv[1])
DTYPES = ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]

base = torch.arange(24.0).view(2, 3, 4)
state = collections.OrderedDict()
for i, name in enumerate(DTYPES):
    state[name] = (torch.arange(6) + i).view(2, 3).to(getattr(torch, name))
state["whole"] = base
state["transposed"] = base.permute(2, 0, 1)
state["slice"] = base[:, 1:, ::2]
state["tail"] = base.view(-1)[20:]
state["channels_last"] = torch.arange(48.0).view(2, 3, 2, 4).contiguous(memory_format=torch.channels_last)
state["scalar"] = torch.tensor(5)
state["empty"] = torch.zeros(0, 3)
state["parameter"] = torch.nn.Parameter(torch.arange(3.0))
state["unicode ü"] = torch.ones(1)
state._metadata = collections.OrderedDict({"": {"version": 1}})
checkpoint = {
    "epoch": 3, "arch": "resnet50", "state_dict": state,
    "optimizer": {"state": {0: {"momentum_buffer": torch.arange(4.0)}},
                  "param_groups": [{"lr": 0.03, "params": [0], "betas": (0.9, 0.999)}]},
    "args": argparse.Namespace(lr=0.03, names=["a", "b"], nested=argparse.Namespace(x=1)),
    "best_acc1": np.float64(41.5), "scores": np.arange(3), "size": torch.Size([2, 3]),
    "dtype": torch.float16, "device": torch.device("cpu"), "seed": 2**80, "negative": -2**40,
    "set": {1, 2}, "default": collections.defaultdict(list, {"a": [1]}), "none": None, "yes": True,
}
label = torch.arange(7)

files = {"zip.pth.tar": checkpoint, "legacy.pth.tar": checkpoint, "bare.pth": dict(state), "label.pt": label,
         "label_legacy.pt": label, "list.pt": [label, {"x": base}],
         "vissl.torch": {"classy_state_dict": {"base_model": {"model": {"trunk": dict(state), "heads": {}}}}}}
for name, contents in files.items():
    torch.save(contents, name, _use_new_zipfile_serialization="legacy" not in name)
plain = {name: tensor.detach().clone().contiguous() for name, tensor in state.items()}
save_file(plain, "plain.safetensors", metadata={"format": "pt", "note": "two\nlines"})
files["plain.safetensors"] = plain
arrays = {name: plain[name].numpy() for name in DTYPES if name != "bfloat16"} | {
    "scalar": np.array(5), "empty": np.zeros((0, 3), np.float32), "sliced": plain["whole"].numpy()[:, 1:, ::2]}
unread = {"big_endian": np.arange(2, dtype=">i4"), "fortran": np.asfortranarray(np.ones((2, 3))),
          "complex": np.ones(1, np.complex64), "scalar_type": np.float32(1)}
with open("arrays.pkl", "wb") as out:
    pickle.dump({"model": arrays, "unread": unread, "__author__": "MOCO"}, out, protocol=3)
files["arrays.pkl"] = {"model": {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}}

lines = []


def describe(file, name, value):
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(value)
    if isinstance(value, torch.Tensor):
        value = value.detach().contiguous()
        data = value.view(-1).view(torch.uint8).numpy().tobytes() if value.numel() else b""
        shape = "x".join(map(str, value.shape))
        lines.append(f"{file} {name}: {str(value.dtype)[6:]} [{shape}] {zlib.crc32(data):08x}")
    elif isinstance(value, dict):
        for key, item in value.items():
            describe(file, f"{name}/{key}".lstrip("/"), item)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            describe(file, f"{name}/{i}".lstrip("/"), item)


for file, contents in files.items():
    describe(file, "", contents)
with open("expected.txt", "w") as out:
    out.write("".join(line + "\n" for line in sorted(lines)))
