"""Everything that MoCo++ is built with, for any workspace: this repository's own and a user's.

In a WORKSPACE file, where this repository may have any name:

    local_repository(name = "mocopp", path = "...")  # or git_repository, http_archive
    load("@mocopp//third_party:dependencies.bzl", "mocopp_dependencies")
    mocopp_dependencies()

What the workspace has declared before keeps its place. The names of the repositories are shared by the whole workspace:
a library that is linked twice, such as another Abseil beside @absl, makes a program that does not work.
"""

load("@bazel_tools//tools/build_defs/repo:utils.bzl", "maybe")
load("//third_party:system_libraries.bzl", "system_libraries")
load("//third_party/python:reference.bzl", "reference_python_repository")
load("//third_party/python:to_tar.bzl", "to_tar_python_repository")
load("//third_party/shims:shims.bzl", "shims")
load("//third_party/torch:torch.bzl", "torch_cuda_repository", "torch_repository")

_CPU_LOCK = Label("//third_party/torch:cpu.lock")
_CUDA_LOCK = Label("//third_party/torch:cuda.lock")
_TO_TAR_LOCK = Label("//third_party/python:to_tar.lock")

def _python(name, **kwargs):
    maybe(
        reference_python_repository,
        name = name,
        cuda_lock = _CUDA_LOCK,
        lock = Label("//third_party/python:reference.lock"),
        readers_lock = Label("//third_party/python:readers.lock"),
        torch_lock = _CPU_LOCK,
        **kwargs
    )

def mocopp_dependencies():
    """Declares what MoCo++ needs. Nothing is fetched but LibTorch, and the Python wheels of what needs Python."""
    shims()
    system_libraries()
    maybe(
        torch_repository,
        name = "torch",
        build_file = Label("//third_party/torch:torch.BUILD"),
        lock = _CPU_LOCK,
    )
    maybe(
        torch_cuda_repository,
        name = "torch_cuda",
        build_file = Label("//third_party/torch:torch_cuda.BUILD"),
        lock = _CUDA_LOCK,
        torch_lock = _CPU_LOCK,
    )
    maybe(to_tar_python_repository, name = "to_tar_python", lock = _TO_TAR_LOCK)
    _python(name = "reference_python")
    _python(
        name = "writers_python",
        to_tar_lock = _TO_TAR_LOCK,
        writers_lock = Label("//third_party/python:writers.lock"),
    )
    _python(name = "models_python", models_lock = Label("//third_party/python:models.lock"))
    _python(
        name = "encoders_python",
        encoders_lock = Label("//third_party/python:encoders.lock"),
        models_lock = Label("//third_party/python:models.lock"),
    )
