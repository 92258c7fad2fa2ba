"""The one way to make a target: compiler options, OpenMP and registration are stated here and nowhere else.

Every C++ target of this repository, and of a repository that adds plugins to it, goes through one of these macros;
`//tests/deps:one_way_test` refuses a target that does not. They take what the rule of the same kind takes.
"""

_COPTS = [
    "-std=c++20",
    # Without it, at::parallel_for runs on one thread: LibTorch's header then leaves the parallel part out. The library
    # itself comes with LibTorch.
    "-fopenmp",
    "-Wall",
    "-Wextra",
    "-Wno-unused-parameter",
    "-Wno-sign-compare",
]

def mocopp_library(name, copts = [], **kwargs):
    """A C++ library."""
    native.cc_library(name = name, copts = _COPTS + copts, **kwargs)

def mocopp_plugin(name, deps, srcs = None, tags = [], **kwargs):
    """A library that registers itself when it is linked.

    Args:
      name: the target; `<name>.cc` is its source unless `srcs` says otherwise.
      deps: the kind's interface and whatever else the source includes.
      srcs: the sources.
      tags: beside "plugin".
      **kwargs: as for mocopp_library.
    """
    mocopp_library(
        name = name,
        srcs = srcs or [name + ".cc"],
        # Nothing refers to a plugin by name, so without this the linker would leave it out.
        alwayslink = True,
        tags = ["plugin"] + tags,
        deps = deps,
        **kwargs
    )

def all_plugins(name = "all", deps = [], **kwargs):
    """One target that links every plugin declared above it in this BUILD file, and `deps`."""
    mocopp_library(
        name = name,
        deps = deps + [
            ":" + rule["name"]
            for rule in native.existing_rules().values()
            if "plugin" in rule.get("tags", [])
        ],
        **kwargs
    )

def mocopp_binary(name, copts = [], **kwargs):
    """A program."""
    native.cc_binary(name = name, copts = _COPTS + copts, **kwargs)

def mocopp_test(name, copts = [], **kwargs):
    """A test in C++."""
    native.cc_test(name = name, copts = _COPTS + copts, **kwargs)

def mocopp_sh_test(name, **kwargs):
    """A test in shell."""
    native.sh_test(name = name, **kwargs)
