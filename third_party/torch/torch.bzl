"""LibTorch from the pinned wheels, unpacked once into a cache that every clone shares."""

_LIBS = {
    "torch/lib": ["libc10.so", "libtorch_cpu.so", "libgomp.so.1"],
    "nvidia/cu13/lib": ["libcudart.so.13", "libcupti.so.13"],
}

def _torch_repository_impl(rctx):
    python = rctx.which("python3")
    if not python:
        fail("\n\nLibTorch: python3 is missing. Install the Debian package python3, or run ./tools/setup.sh.\n")
    fetched = rctx.execute(
        [python, rctx.path(rctx.attr._fetch), rctx.path(rctx.attr.lock)],
        timeout = 3600,
        quiet = False,
    )
    if fetched.return_code != 0:
        fail("\n\n" + fetched.stderr.strip().split("\n")[-1] + "\n")
    site = fetched.stdout.strip()
    rctx.symlink(site + "/torch/include", "include")
    for folder, libs in _LIBS.items():
        for lib in libs:
            rctx.symlink(site + "/" + folder + "/" + lib, "lib/" + lib)
    rctx.symlink(rctx.attr.build_file, "BUILD")

torch_repository = repository_rule(
    implementation = _torch_repository_impl,
    attrs = {
        "build_file": attr.label(allow_single_file = True),
        "lock": attr.label(allow_single_file = True),
        "_fetch": attr.label(default = "//third_party/torch:fetch_wheels.py", allow_single_file = True),
    },
)
