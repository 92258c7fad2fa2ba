"""Python with the pinned packages of //tools:to_tar, fetched only when that is built."""

load("//third_party/torch:torch.bzl", "FETCH_ATTR", "fetch_wheels")

def fetch_to_tar_packages(rctx, lock):
    return fetch_wheels(rctx, lock, "packages of //tools:to_tar", "50 MB", "250 MB")

def _to_tar_python_impl(rctx):
    packages = fetch_to_tar_packages(rctx, rctx.attr.lock)
    rctx.file(
        "python",
        "#!/bin/sh\nPYTHONPATH='%s' exec python3 \"$@\"\n" % packages,
        executable = True,
    )
    rctx.file("BUILD", "exports_files([\"python\"])\n")

to_tar_python_repository = repository_rule(
    implementation = _to_tar_python_impl,
    attrs = {
        "lock": attr.label(allow_single_file = True),
        "_fetch": FETCH_ATTR,
    },
)
