"""Repositories that Bazel asks for in every workspace, even if nothing of them is used.

Bazel would fetch them from the network. These hold what is asked for, and nothing else.
"""

load("@bazel_tools//tools/build_defs/repo:utils.bzl", "maybe")

def _shim_impl(rctx):
    system = rctx.attr.system
    if system and rctx.path(system).exists:  # Debian's package
        for entry in rctx.path(system).readdir():
            rctx.symlink(entry, entry.basename)
        return
    rctx.file("WORKSPACE", "")
    if "BUILD" not in rctx.attr.files.values():
        rctx.file("BUILD", "")
    for file, path in rctx.attr.files.items():
        rctx.symlink(file, path)

_shim = repository_rule(
    implementation = _shim_impl,
    attrs = {
        "files": attr.label_keyed_string_dict(allow_files = True, doc = "where each file belongs"),
        "system": attr.string(doc = "a folder that is taken instead, if it is there"),
    },
)

def shims():
    """Declares the repositories that a workspace without a network needs."""
    maybe(
        _shim,
        name = "rules_cc",
        files = {
            Label("//third_party/shims:public.BUILD"): "cc/BUILD",
            Label("//third_party/shims:rules_cc_defs.bzl"): "cc/defs.bzl",
        },
    )

    # The next two are asked for by Bazel 7.
    maybe(
        _shim,
        name = "bazel_skylib",
        files = {Label("//third_party/shims:bzl_library.bzl"): "bzl_library.bzl"},
    )
    maybe(
        _shim,
        name = "rules_python",
        files = {
            Label("//third_party/shims:public.BUILD"): "python/BUILD",
            Label("//third_party/shims:rules_python_defs.bzl"): "python/defs.bzl",
        },
    )

    # Every test rule names these two; they run only under `bazel coverage`.
    maybe(
        _shim,
        name = "remote_coverage_tools",
        files = {
            Label("//third_party/shims:no_coverage.sh"): "no_coverage.sh",
            Label("//third_party/shims:remote_coverage_tools.BUILD"): "BUILD",
        },
    )
    maybe(_shim, name = "rules_java", system = "/usr/share/bazel/rules/java")
    maybe(_shim, name = "rules_proto", system = "/usr/share/bazel/rules/proto")
