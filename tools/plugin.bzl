"""`plugin`: one plugin is one source file, registered by being linked, and a line in its package's BUILD."""

def plugin(name, deps, srcs = None, tags = [], **kwargs):
    """A library that registers itself when it is linked.

    Args:
      name: the target; `<name>.cc` is its source unless `srcs` says otherwise.
      deps: the kind's interface and whatever else the source includes.
      srcs: the sources.
      tags: beside "plugin".
      **kwargs: as for cc_library.
    """
    native.cc_library(
        name = name,
        srcs = srcs or [name + ".cc"],
        # Nothing refers to a plugin by name, so without this the linker would leave it out.
        alwayslink = True,
        tags = ["plugin"] + tags,
        deps = deps,
        **kwargs
    )

def all_plugins(name = "all", **kwargs):
    """One target that links every plugin declared above it in this BUILD file."""
    native.cc_library(
        name = name,
        deps = [
            ":" + rule["name"]
            for rule in native.existing_rules().values()
            if "plugin" in rule.get("tags", [])
        ],
        **kwargs
    )
