"""LibTorch from the pinned wheels, unpacked once into a cache that every clone shares."""

_LIBS = {
    "torch/lib": ["libc10.so", "libtorch_cpu.so", "libgomp.so.1"],
    "nvidia/cu13/lib": ["libcudart.so.13", "libcupti.so.13"],
}

# The CUDA part: its own libraries, and what they are linked with or load by name once they compute.
_CUDA_LIBS_OF_TORCH = {
    "torch/lib": ["libc10_cuda.so", "libtorch_cuda.so", "libtorch_cuda_linalg.so", "libtorch_nvshmem.so"],
}
_CUDA_LIBS = {
    "nvidia/cu13/lib": [
        "libcublas.so.13",
        "libcublasLt.so.13",
        "libcufft.so.12",
        "libcufile.so.0",
        "libcurand.so.10",
        "libcusolver.so.12",
        "libcusparse.so.12",
        "libnvJitLink.so.13",
        "libnvrtc-builtins.so.13.0",
        "libnvrtc.so.13",
    ],
    "nvidia/cudnn/lib": [
        "libcudnn.so.9",
        "libcudnn_adv.so.9",
        "libcudnn_cnn.so.9",
        "libcudnn_engines_precompiled.so.9",
        "libcudnn_engines_runtime_compiled.so.9",
        "libcudnn_graph.so.9",
        "libcudnn_heuristic.so.9",
        "libcudnn_ops.so.9",
    ],
    "nvidia/cusparselt/lib": ["libcusparseLt.so.0"],
    "nvidia/nccl/lib": ["libnccl.so.2"],
    "nvidia/nvshmem/lib": ["libnvshmem_host.so.3"],
}

FETCH_ATTR = attr.label(default = "//third_party/torch:fetch_wheels.py", allow_single_file = True)

def fetch_wheels(rctx, lock, what, download, space):
    """Runs fetch_wheels.py for a repository rule that has FETCH_ATTR as its attribute `_fetch`.

    Args:
      rctx: of the rule.
      lock: label of the lock file.
      what: the wheels' name in messages.
      download: their size.
      space: what they take for a while.

    Returns:
      The folder with the unpacked wheels, a string.
    """
    python = rctx.which("python3")
    if not python:
        fail("\n\n%s: python3 is missing. Install the Debian package python3, or run ./tools/setup.sh.\n" % what)
    fetched = rctx.execute(
        [python, rctx.path(rctx.attr._fetch), rctx.path(lock), what, download, space],
        timeout = 3600,
        quiet = False,
    )
    if fetched.return_code != 0:
        fail("\n\n" + fetched.stderr.strip().split("\n")[-1] + "\n")
    return fetched.stdout.strip()

def fetch_libtorch(rctx, lock):
    return fetch_wheels(rctx, lock, "LibTorch", "550 MB", "3 GB")

def fetch_cuda(rctx, lock):
    return fetch_wheels(rctx, lock, "LibTorch's CUDA libraries", "2 GB", "5 GB")

def _link_libs(rctx, site, libs_of_folder):
    for folder, libs in libs_of_folder.items():
        for lib in libs:
            rctx.symlink(site + "/" + folder + "/" + lib, "lib/" + lib)

def _torch_repository_impl(rctx):
    site = fetch_libtorch(rctx, rctx.attr.lock)
    rctx.symlink(site + "/torch/include", "include")
    _link_libs(rctx, site, _LIBS)
    info = [folder for folder in rctx.path(site).readdir() if folder.basename.startswith("torch-")]
    rctx.symlink(info[0].get_child("licenses").get_child("LICENSE"), "LICENSE")
    rctx.symlink(rctx.attr.build_file, "BUILD")

torch_repository = repository_rule(
    implementation = _torch_repository_impl,
    attrs = {
        "build_file": attr.label(allow_single_file = True),
        "lock": attr.label(allow_single_file = True),
        "_fetch": FETCH_ATTR,
    },
)

def _torch_cuda_repository_impl(rctx):
    # Without --config=cuda the repository is there, too, but empty: queries load the branches of select() that
    # builds do not take.
    if rctx.os.environ.get("MOCOPP_CUDA") == "1":
        torch = fetch_libtorch(rctx, rctx.attr.torch_lock)
        cuda = fetch_cuda(rctx, rctx.attr.lock)
        _link_libs(rctx, torch, _CUDA_LIBS_OF_TORCH)
        _link_libs(rctx, cuda, _CUDA_LIBS)
        rctx.symlink(torch + "/nvidia/cu13/include", "include/runtime")
        rctx.symlink(cuda + "/nvidia/cu13/include", "include/toolkit")
        rctx.symlink(cuda + "/nvidia/nccl/include", "include/nccl")
    rctx.symlink(rctx.attr.build_file, "BUILD")

torch_cuda_repository = repository_rule(
    implementation = _torch_cuda_repository_impl,
    attrs = {
        "build_file": attr.label(allow_single_file = True),
        "lock": attr.label(allow_single_file = True),
        "torch_lock": attr.label(allow_single_file = True),
        "_fetch": FETCH_ATTR,
    },
    environ = ["MOCOPP_CUDA"],
)
