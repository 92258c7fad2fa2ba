#!/usr/bin/env python3
"""Makes benchmarks/gpu.md from the results of the kit: page.py [GPU.JSON...] > benchmarks/gpu.md

Of several files, which calls on several machines have left, a later one's parts take the place of an earlier one's.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "kit"))
sys.dont_write_bytecode = True
import tables

HEAD = """# On a GPU

This page is made by `tools/gpu/page.py` from the results of the kit ([CUDA](../docs/cuda.md#the-kit)); do not edit it.
"""
NONE = """
No GPU has run this code yet, so that there are no figures. On a machine with a GPU, a driver for CUDA 13 and PyTorch
2.11.0:

```
tools/gpu/pack.sh --moco=CLONE --images=cifar10-jpeg.tar.xz     # once, where MoCo++ can be built
gpu_kit/run.sh check && gpu_kit/run.sh speed && gpu_kit/run.sh demo
tools/gpu/page.py gpu.json > benchmarks/gpu.md
```

What has been run without a GPU is listed in [docs/cuda.md](../docs/cuda.md#what-has-been-run-and-what-has-not).
"""
TITLES = {
    "check": ("Does it compute the same?", "Errors are relative to the CPU in float64. \"Not run\" says why."),
    "speed": ("Speed", "Both sides take turns in one run on the same PyTorch; a ratio is of the pairs of images in a second, its "
              "median with the smallest and the largest of the turns. \"Official\" is the official code as it is, in fp32 with "
              "TF32 in convolutions, as PyTorch has it; \"tuned\" is in channels_last with foreach SGD, in our precision; "
              "\"compiled\" adds torch.compile. With several splits it is the code of the CIFAR demo, whose split norm takes no channels_last. Kernels and waits of the host "
              "are of one step; \"idle\" is the share of a step in which the GPU has nothing to do, under the profiler. \"Ours\" "
              "repeats to the bit; \"not repeatable\" allows TF32 in convolutions and cuDNN's trials. Memory is that of tensors."),
    "demo": ("The CIFAR-10 demo", "200 epochs with the settings of the official demo, on CIFAR-10 as JPEG files, which cost a "
             "little accuracy, beside its published log, which is of the original pixels."),
}


def page(results):
    lines = [HEAD.rstrip("\n")]
    if not any("gpu" in part.get("machine", {}) for part in results):
        return "\n".join(lines) + "\n" + NONE
    for name, (title, text) in TITLES.items():
        with_part = [result for result in results if name in result and "gpu" in result["machine"]]
        if not with_part:
            continue
        last = with_part[-1]
        machine = last["machine"]
        lines += ["", f"## {title}", "", f"{text} On one {machine['gpu']}; PyTorch {machine['torch']}, {machine['cores']} cores "
                  f"({machine['processor']}); {machine['date']}, commit {machine['commit'][:12]}.", "", *tables.of_part(name, last)]
    return "\n".join(lines) + "\n"


def main():
    print(page([json.loads(pathlib.Path(name).read_text()) for name in sys.argv[1:]]), end="")


if __name__ == "__main__":
    main()
