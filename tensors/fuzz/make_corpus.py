"""Writes the fuzzer's seeds: a few tiny files of each format, and pickles that mean harm.

    python make_corpus.py corpus      # torch 2.11.0, safetensors 0.8.0
"""

import collections
import io
import os
import pickle
import sys
import zipfile

import numpy as np
import torch
from safetensors.torch import save_file


class System:
    def __reduce__(self):
        return os.system, ("true",)


base = torch.arange(6.0).view(2, 3)
seeds = {
    "tensor": torch.arange(2),
    "state": collections.OrderedDict({"w": base, "t": base.t(), "n": torch.tensor(7)}),
    "checkpoint": {"epoch": 1, "state_dict": {"p": torch.nn.Parameter(base), "half": base.bfloat16()},
                   "optimizer": {"state": {0: {"m": base[1:]}}, "param_groups": [{"lr": 0.1, "params": [0]}]}},
}

for folder in ("zip", "legacy", "safetensors", "pickle", "npy", "archive"):
    os.makedirs(os.path.join(sys.argv[1], folder), exist_ok=True)
os.chdir(sys.argv[1])
for name, contents in seeds.items():
    torch.save(contents, f"zip/{name}")
    torch.save(contents, f"legacy/{name}", _use_new_zipfile_serialization=False)
for protocol in (4, 5):
    torch.save(seeds["state"], f"zip/protocol{protocol}", pickle_protocol=protocol)
    torch.save(seeds["state"], f"legacy/protocol{protocol}", pickle_protocol=protocol, _use_new_zipfile_serialization=False)
# Types that are not read beside one that is; and what is no state dict: a program, and a distributed checkpoint's part.
odd = {"w": base, "c": base.to(torch.complex64), "f": base.to(torch.float8_e4m3fn)}
torch.save(odd, "zip/odd")
torch.save(odd, "legacy/odd", _use_new_zipfile_serialization=False)
save_file(odd, "safetensors/odd")
script = io.BytesIO()
torch.jit.save(torch.jit.script(torch.nn.Linear(2, 3)), script)
with zipfile.ZipFile(script) as whole, zipfile.ZipFile("zip/script", "w") as archive:
    for entry in whole.infolist():
        if not entry.filename.endswith(".debug_pkl"):  # with the paths of this machine
            archive.writestr(entry, whole.read(entry))
with open("zip/parts", "wb") as file:
    for tensor in (base, base + 1):
        part = io.BytesIO()
        torch.save(tensor, part)
        file.write(part.getvalue())


class Python2Dict(collections.OrderedDict):
    """Is pickled as by Python 2: with all items as the constructor's argument."""

    def __reduce__(self):
        return collections.OrderedDict, ([[name, value] for name, value in self.items()],)


class Tensor03:
    """Is pickled as by PyTorch 0.3."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce_ex__(self, protocol):
        function, (storage, offset, size, stride, *_) = self.tensor.__reduce_ex__(protocol)
        return torch._utils._rebuild_tensor, (storage, offset, size, stride)


torch.save(Python2Dict({"w": Tensor03(base)}), "legacy/python2", _use_new_zipfile_serialization=False)
# Tensors with attributes, tensors in lists, and a whole module beside them.
parameter, attributed = torch.nn.Parameter(base.clone()), base.clone()
parameter.decay, attributed.origin = False, "here"
torch.save({"nets": [collections.defaultdict(dict, w=attributed), (parameter,)], "module": torch.nn.Linear(2, 3)},
           "zip/objects")
save_file({"w": base, "n": torch.tensor(7)}, "safetensors/state", metadata={"format": "pt"})
save_file({"e": torch.zeros(0, 2), "h": base.half(), "b": base > 1}, "safetensors/dtypes")
for dtype in ("<f2", "<f4", "<f8"):
    np.save(f"npy/{dtype[1:]}", base.numpy().astype(dtype))
for version in (2, 3):
    with open(f"npy/version{version}.npy", "wb") as file:
        np.lib.format.write_array(file, base.numpy(), version=(version, 0))

for name, array in {"images": np.zeros((2, 3, 4, 3), np.uint8), "labels": np.array([[1], [0]], ">i8"), "text": np.array(["a", "bcd"]),
                    "objects": np.array([None]), "fields": np.zeros(2, [("x", "<f4"), ("y", "u1", 3)]), "scalar": np.array(1.5),
                    "fortran": np.asfortranarray(base.numpy()), "time": np.array(["2001-02-03"], "M8[D]")}.items():
    np.save(f"npy/{name}", array)
# Archives of images and of arrays, in the forms of tensors/zip.h.
np.savez("archive/stored.npz", train_images=np.zeros((2, 3, 4), np.uint8), train_labels=np.array([[1], [0]]))
np.savez_compressed("archive/deflated.npz", images=np.zeros((2, 3, 4), np.uint16), labels=np.array([1, 0]))
for name, method in {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2}.items():
    with open(f"archive/{name}.zip", "wb") as file:
        if name == "bzip2":
            file.write(b"something before the archive")
        with zipfile.ZipFile(file, "a", method) as archive:
            archive.mkdir("cat") if hasattr(archive, "mkdir") else archive.writestr("cat/", b"")
            with archive.open("cat/\u00e9.png", "w", force_zip64=name == "deflated") as entry:
                entry.write(b"\x89PNG" * 9)
            archive.comment = b"a comment"

lists = [[]]
for _ in range(8):
    lists.append([lists[-1]] * 10)
nested = []
for _ in range(90):
    nested = [nested]
for name, contents in {
        "system": {"state_dict": System()}, "repeated": lists[1], "nested": nested, "numbers": [2**80, -2**40, 1.5, None],
        "numpy": {"a": np.float64(1), "b": np.arange(2)}, "set": {1, 2}}.items():
    with open(f"pickle/{name}", "wb") as file:
        pickle.dump(contents, file, protocol=2)
with open("pickle/arrays", "wb") as file:
    pickle.dump({"model": {"w": base.numpy(), "n": np.array(7)}}, file, protocol=3)
# Data sets: CIFAR's batches, in the words of Python 2 (long text, T) and in the protocols of Python 3.
batch = {b"labels": [1, 0], b"data": np.arange(600, dtype=np.uint8).reshape(2, 300)}
for protocol in (2, 4, 5):
    with open(f"pickle/batch{protocol}", "wb") as file:
        pickle.dump(batch, file, protocol=protocol)
with open("pickle/text", "wb") as file:
    file.write(b"\x80\x02}U\x04dataT\x02\x00\x00\x00\xff\x00s.")
