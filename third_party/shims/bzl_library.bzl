"""For Bazel 7, whose Java toolchains name bzl_library: files for documentation, which nobody makes here."""

def bzl_library(name, srcs = [], deps = [], visibility = None, **_kwargs):
    native.filegroup(name = name, srcs = srcs, data = deps, visibility = visibility)
