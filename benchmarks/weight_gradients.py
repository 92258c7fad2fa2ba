"""The gradient of a convolution's weights in bfloat16 on a CPU: by oneDNN, and as a matrix product.

    python benchmarks/weight_gradients.py                                             # torch 2.11.0
    ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16 python benchmarks/weight_gradients.py         # as on a CPU without AMX

For the convolutions of ResNet-50 and ResNet-18 whose outputs are small, the milliseconds of both ways (medians of --turns
turns) and their ratio. moco/backbones/convolution.h takes the product where it is the faster one.
"""

import argparse
import statistics
import time

import torch
from torch.nn import functional as F

# Images, channels in and out, rows of the input, kernel, stride.
RESNET50_96 = ((32, 256, 256, 6, 3, 1), (32, 256, 1024, 6, 1, 1), (32, 256, 256, 12, 3, 2), (32, 512, 1024, 12, 1, 2),
               (32, 512, 512, 3, 3, 1), (32, 512, 512, 6, 3, 2), (32, 1024, 2048, 6, 1, 2), (32, 512, 2048, 3, 1, 1),
               (32, 2048, 512, 3, 1, 1))
RESNET50_224 = ((32, 512, 512, 7, 3, 1), (32, 512, 512, 14, 3, 2), (32, 512, 2048, 7, 1, 1))
RESNET18_32 = ((64, 256, 256, 8, 3, 1), (64, 256, 512, 8, 3, 2), (64, 512, 512, 4, 3, 1))
LARGER = ((32, 128, 128, 12, 3, 1), (32, 128, 512, 12, 1, 1))


def by_convolution(x, dy, w, stride, padding):
    return torch.ops.aten.convolution_backward(dy, x, w, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1,
                                               [False, True, False])[1]


def by_product(x, dy, w, stride, padding):
    """As moco/backbones/convolution.cc."""
    (n, c, _, _), (_, out, rows, cols), kernel = x.shape, dy.shape, w.shape[2]
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, padding, padding, padding, padding))
    image, row, pixel, _ = padded.stride()
    seen = padded.as_strided((n, rows, cols, kernel, kernel, c), (image, row * stride, pixel * stride, row, pixel, 1))
    product = dy.permute(0, 2, 3, 1).reshape(-1, out).t() @ seen.reshape(n * rows * cols, -1)
    return product.view(out, kernel, kernel, c).permute(0, 3, 1, 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--turns", type=int, default=9)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print("| images | channels | output | kernel, stride | oneDNN, ms | product, ms | ratio |\n"
          "| ---: | --- | --- | --- | ---: | ---: | --- |")
    for n, c, out, size, kernel, stride in RESNET50_96 + RESNET50_224 + RESNET18_32 + LARGER:
        padding = kernel // 2
        x, w = (torch.randn(shape).to(torch.bfloat16).contiguous(memory_format=torch.channels_last)
                for shape in ((n, c, size, size), (out, c, kernel, kernel)))
        dy = torch.randn_like(F.conv2d(x, w, stride=stride, padding=padding))
        seconds = {way: [] for way in (by_convolution, by_product)}
        for turn in range(args.turns + 1):
            for way, taken in seconds.items():
                start = time.perf_counter()
                way(x, dy, w, stride, padding)
                if turn > 0:  # the first one makes the kernels
                    taken.append(time.perf_counter() - start)
        ratios = [a / b for a, b in zip(*seconds.values())]
        ms = [1000 * statistics.median(taken) for taken in seconds.values()]
        print(f"| {n} | {c} to {out} | {dy.shape[2]} x {dy.shape[3]} | {kernel}, {stride} | {ms[0]:.1f} | {ms[1]:.1f} "
              f"| {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f}) |", flush=True)


if __name__ == "__main__":
    main()
