"""LibTorch from the pinned wheels, unpacked once into a cache that every clone shares."""

_LIBS = {
    "torch/lib": ["libc10.so", "libtorch_cpu.so", "libgomp.so.1"],
    "nvidia/cu13/lib": ["libcudart.so.13", "libcupti.so.13"],
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

def _torch_repository_impl(rctx):
    site = fetch_libtorch(rctx, rctx.attr.lock)
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
        "_fetch": FETCH_ATTR,
    },
)
