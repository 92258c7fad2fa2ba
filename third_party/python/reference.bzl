"""Python with the pinned torch, torchvision and readers of exported files, for comparisons with the reference.

Fetched only when a target asks for it: 2 GB with the CUDA libraries, unpacked once into the cache that every clone shares. torch itself
and the CUDA libraries, which this torch loads on a machine without a GPU, too, are the copies that the C++ side links.
"""

load("//third_party/python:to_tar.bzl", "fetch_to_tar_packages")
load("//third_party/torch:torch.bzl", "FETCH_ATTR", "fetch_cuda", "fetch_libtorch", "fetch_wheels")

def _reference_python_impl(rctx):
    torch = fetch_libtorch(rctx, rctx.attr.torch_lock)
    cuda = fetch_cuda(rctx, rctx.attr.cuda_lock)
    others = fetch_wheels(rctx, rctx.attr.lock, "Python reference", "80 MB", "400 MB")
    readers = fetch_wheels(rctx, rctx.attr.readers_lock, "readers of data sets", "1 MB", "10 MB")
    folders = [others, readers, torch, cuda]
    if rctx.attr.writers_lock:
        folders.append(fetch_to_tar_packages(rctx, rctx.attr.to_tar_lock))
        folders.append(fetch_wheels(rctx, rctx.attr.writers_lock, "writers of data sets", "90 MB", "350 MB"))
    if rctx.attr.encoders_lock:
        folders.append(fetch_wheels(rctx, rctx.attr.encoders_lock, "programs that train encoders", "200 MB", "900 MB"))
    if rctx.attr.models_lock:
        folders.append(fetch_wheels(rctx, rctx.attr.models_lock, "programs that load networks", "30 MB", "200 MB"))
    rctx.file(
        "python",
        "#!/bin/sh\nPYTHONPATH='%s' exec python3 \"$@\"\n" % ":".join(folders),
        executable = True,
    )
    rctx.file("BUILD", "exports_files([\"python\"])\n")

reference_python_repository = repository_rule(
    implementation = _reference_python_impl,
    attrs = {
        "cuda_lock": attr.label(allow_single_file = True),
        # With this it also has what trains encoders and writes them.
        "encoders_lock": attr.label(allow_single_file = True),
        "lock": attr.label(allow_single_file = True),
        # With this it also has what loads exported networks.
        "models_lock": attr.label(allow_single_file = True),
        "readers_lock": attr.label(allow_single_file = True),
        "to_tar_lock": attr.label(allow_single_file = True),
        "torch_lock": attr.label(allow_single_file = True),
        # With these two it also has what writes data sets of other forms, and //tools:to_tar's packages.
        "writers_lock": attr.label(allow_single_file = True),
        "_fetch": FETCH_ATTR,
    },
)
