"""The one way to make a target: compiler options, OpenMP and registration are stated here and nowhere else.

Every C++ target of this repository, and of a repository that adds plugins to it, goes through one of these macros;
`//tests/deps:one_way_test` refuses a target that does not. They take what the rule of the same kind takes. Another
repository loads them from `@mocopp//tools:mocopp.bzl` (docs/adding_a_plugin.md).
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

def mocopp_binary(name, srcs = [], deps = [], data = [], copts = [], tags = [], testonly = False, **kwargs):
    """A program.

    Its sources are a library of their own, `<name>_main`, so that another repository can link the same program with
    plugins of its own: `deps = ["@mocopp//moco:pretrain_main", ...]`, without `srcs`.

    Args:
      name: the program.
      srcs: its sources, with main(); none if `deps` have it.
      deps: what the sources include, and plugins.
      data: files and programs that it needs when it runs.
      copts: for the sources, beside those of every target.
      tags: of both targets.
      testonly: of both targets.
      **kwargs: of the program, as for cc_binary.
    """
    if srcs:
        mocopp_library(
            name = name + "_main",
            srcs = srcs,
            alwayslink = True,
            copts = copts,
            data = data,
            tags = tags,
            testonly = testonly,
            visibility = ["//visibility:public"],
            deps = deps,
        )
        deps, data = [":" + name + "_main"], []
    native.cc_binary(
        name = name,
        data = data,
        tags = tags,
        testonly = testonly,
        deps = deps,
        **kwargs
    )

def mocopp_test(name, copts = [], **kwargs):
    """A test in C++."""
    native.cc_test(name = name, copts = _COPTS + copts, **kwargs)

def mocopp_contract(name, srcs = None, **kwargs):
    """The tests that every plugin of a kind passes, as a library: a test that links it and plugins runs them on these.

    Args:
      name: the target, by custom `<kind>_contract`.
      srcs: the sources; `<name>.cc` unless given.
      **kwargs: as for mocopp_library.
    """
    mocopp_library(
        name = name,
        testonly = True,
        srcs = srcs or [name + ".cc"],
        alwayslink = True,  # nothing refers to a test by name
        **kwargs
    )

def mocopp_sh_test(name, **kwargs):
    """A test in shell."""
    native.sh_test(name = name, **kwargs)

def mocopp_sh_binary(name, **kwargs):
    """A program in shell."""
    native.sh_binary(name = name, **kwargs)
