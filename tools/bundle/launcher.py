"""Starts a program of a bundle: mocopp PROGRAM [ARGUMENT...]

It finds LibTorch, which is not part of the bundle, in an installed PyTorch, and then becomes the program: signals, exit
codes, and the process's number are the program's own. Everything that would stop the dynamic loader halfway is checked
first, and reported in one line. The code also runs on the old Pythons of old systems, so that these get the line, too.
"""

import json
import os
import re
import sys

USAGE, RESOURCE = 2, 4  # docs/errors.md

# Each program: its place in the tree, and what --help says about it. Those of several processes are in the folder of the
# launcher that starts them.
PROGRAMS = {
    "pretrain": ("moco/pretrain", "trains an encoder without labels; without arguments, the demo"),
    "lincls": ("lincls/lincls", "trains a linear classifier on an encoder, or fine-tunes the encoder"),
    "features": ("lincls/features", "writes the features of images"),
    "knn": ("lincls/knn", "classifies features by their nearest neighbours"),
    "sweep": ("lincls/sweep", "trains linear classifiers for a grid of settings on features"),
    "launch": ("dist/launch", "runs pretrain or lincls in several processes"),
    "pretrain_ddp": ("dist/pretrain_ddp", "pretrain as one of several processes, under torchrun, srun or mpirun"),
    "lincls_ddp": ("dist/lincls_ddp", "lincls as one of several processes"),
    "doctor": ("tools/doctor/main", "looks at a data set and suggests settings"),
    "export": ("tools/export", "writes an encoder in the format of another program"),
    "inspect": ("tools/inspect", "lists the tensors in a file"),
    "pack": ("tools/pack", "packs a data set into one file"),
    "to_tar": ("tools/to_tar/__main__.py", "converts Parquet, Arrow, MDS, litdata and LMDB to tar archives"),
    "select_labels": ("tools/select_labels", "chooses images to label by their features"),
    "labels": ("tools/labels", "adds new labels to the training images"),
    "report": ("tools/report/main", "shows runs as a page, and compares them"),
    "plugins": ("tools/plugins", "lists all plugins and their options"),
}

BUNDLE = os.path.dirname(os.path.realpath(__file__))
TREE = os.path.join(BUNDLE, "programs")  # laid out as Bazel lays out the files beside a program


class Fault(Exception):
    """What is wrong, where, and what to do, in one line, and the exit code."""

    def __init__(self, code, message):
        super(Fault, self).__init__(message)
        self.code = code


def manifest():
    """What bundle.py found out about the programs."""
    with open(os.path.join(BUNDLE, "manifest.json")) as contents:
        return json.load(contents)


def as_started(text, launcher):
    """`text` in which each "bazel run //FOLDER:PROGRAM --" has become "LAUNCHER PROGRAM" (base/started.h does the same)."""
    return re.sub(r"bazel run //\w+:(%s)\b( --(?= ))?" % "|".join(PROGRAMS), launcher + r" \1", text)


def check_system(needs):
    if os.uname()[4] != needs["machine"]:
        raise Fault(RESOURCE, "this machine is %s, and the bundle was built for %s; build MoCo++ on this machine (README.md)"
                    % (os.uname()[4], needs["machine"]))
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        libc = ""
    version = re.match(r"glibc (\d+)\.(\d+)", libc)
    least = tuple(map(int, needs["glibc"].split(".")))
    if not version or tuple(map(int, version.groups())) < least:
        raise Fault(RESOURCE, "this system has %s, and the bundle requires glibc %s or newer; use a container with a newer "
                    "system (docs/container.md), or build MoCo++ on this one (README.md)"
                    % (libc or "another C library than glibc", needs["glibc"]))


def check_library_of_cpp(needs):
    """libstdc++ is the system's; its file name says which symbols it has. One in an unusual place is left to the loader."""
    folders = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    for folder in folders + ["/usr/lib/%s-linux-gnu" % needs["machine"], "/usr/lib64", "/usr/lib"]:
        library = os.path.join(folder, "libstdc++.so.6")
        if not folder or not os.path.exists(library):
            continue
        version = re.search(r"\.so\.6\.0\.(\d+)$", os.path.realpath(library))
        if version and int(version.group(1)) < needs["libstdc++"]:
            raise Fault(RESOURCE, "%s has version 6.0.%s, and the bundle requires 6.0.%d or newer; %s" % (
                library, version.group(1), needs["libstdc++"],
                "take its folder out of LD_LIBRARY_PATH" if folder in folders else
                "use a container with a newer system (docs/container.md), or build MoCo++ on this one (README.md)"))
        return


def torch_folder(needed):
    """The folder `torch` of the PyTorch to use; of any version."""
    named = os.environ.get("MOCOPP_TORCH")
    if named:
        for folder in os.path.join(named, "torch"), named:
            if os.path.exists(os.path.join(folder, "lib", "libtorch_cpu.so")):
                return os.path.abspath(folder)
        raise Fault(USAGE, "MOCOPP_TORCH=%s has no lib/libtorch_cpu.so; set it to the folder `torch` of PyTorch %s, or to the "
                    "site-packages that contain it" % (named, needed))
    import importlib.util  # not needed above
    found = importlib.util.find_spec("torch")
    for folder in found.submodule_search_locations or [] if found else []:
        if os.path.exists(os.path.join(folder, "lib", "libtorch_cpu.so")):
            return folder
    raise Fault(RESOURCE, "PyTorch %s is not installed for %s; run: %s -m pip install torch==%s (in a virtual environment), or "
                "set MOCOPP_TORCH to the folder `torch` of an installed one" % (needed, sys.executable, sys.executable, needed))


def torch_version(folder):
    """As in 2.11.0+cu130; empty if the folder does not say."""
    for name, pattern in ("version.py", r"^__version__ = '([^']+)'"), (os.path.join("..", "build-version"), r"(\S+)"), \
            ("build-version", r"(\S+)"):
        try:
            with open(os.path.join(folder, name)) as contents:
                found = re.search(pattern, contents.read(), re.MULTILINE)
        except (IOError, OSError):
            continue
        if found:
            return found.group(1)
    return ""


def find_torch(needs):
    """The folder of LibTorch's libraries, of the version and with the parts that the programs were linked with."""
    folder = torch_folder(needs["torch"])
    version = torch_version(folder)
    if version.split("+")[0] != needs["torch"]:
        raise Fault(RESOURCE, "%s is PyTorch %s, and MoCo++ requires %s; install torch==%s in a virtual environment of its own, or "
                    "set MOCOPP_TORCH to its folder" % (folder, version or "of unknown version", needs["torch"], needs["torch"]))
    libraries = os.path.join(folder, "lib")
    for library in needs["torch_libraries"]:
        if not os.path.exists(os.path.join(libraries, library)):
            raise Fault(RESOURCE, "%s has no %s: it is PyTorch %s, and this bundle was built for one with CUDA; install torch==%s from "
                        "PyPI, or use a bundle without CUDA" % (libraries, library, version, needs["torch"]))
    return libraries


def typed():
    """What a user types to start this launcher."""
    this = sys.argv[0]
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        first = os.path.join(folder, "mocopp")
        if os.path.isfile(first):
            if os.path.realpath(first) == os.path.realpath(this):
                return "mocopp"
            break
    return this if re.match(r"[\w@%+=:,./-]+$", this) else "'" + this.replace("'", "'\\''") + "'"


def start(name, arguments):
    """Becomes the program; returns only by an exception."""
    path = os.path.join(TREE, "mocopp", PROGRAMS[name][0])
    environment = dict(os.environ, MOCOPP_STARTED_AS=typed(), RUNFILES_DIR=TREE)
    if path.endswith(".py"):  # needs no library of the bundle
        command = [sys.executable, "-B", path]
    else:
        needs = manifest()
        check_system(needs)
        check_library_of_cpp(needs)
        folders = [os.path.join(BUNDLE, "lib"), find_torch(needs), environment.get("LD_LIBRARY_PATH")]
        environment["LD_LIBRARY_PATH"] = os.pathsep.join(folder for folder in folders if folder)
        command = [path]
    try:
        os.execve(command[0], command + arguments, environment)
    except OSError as error:
        raise Fault(RESOURCE, "%s cannot be started: %s; unpack or install the bundle again, on a file system that allows "
                    "programs" % (command[0], error.strerror))


def print_help():
    needs = manifest()
    lines = [__doc__.split("\n")[0].replace("Starts a program of a bundle:", "Starts a program of MoCo++:"), ""]
    width = max(map(len, PROGRAMS))
    lines += ["  %-*s  %s" % (width, name, summary) for name, (_, summary) in PROGRAMS.items()]
    lines += ["", "`mocopp PROGRAM --help` lists the flags of a program. The documentation is in",
              os.path.join(BUNDLE, "docs") + ".", "",
              "LibTorch comes from PyTorch %s of the Python that runs this launcher, or of the folder" % needs["torch"],
              "that the environment variable MOCOPP_TORCH names."]
    print("\n".join(lines))


def run(arguments):
    if not arguments:
        raise Fault(USAGE, "missing argument PROGRAM; mocopp --help lists the programs")
    name = arguments[0]
    if name in ("-h", "--help"):
        return print_help()
    if name == "--version":
        needs = manifest()
        return print("mocopp %s for PyTorch %s%s, glibc %s or newer" % (
            needs["version"], needs["torch"], " with CUDA" if "libtorch_cuda.so" in needs["torch_libraries"] else "", needs["glibc"]))
    name = name.replace("-", "_")
    if name not in PROGRAMS:
        import difflib  # not needed above
        near = difflib.get_close_matches(name, PROGRAMS, 1)
        raise Fault(USAGE, "unknown program '%s'; %smocopp --help lists the programs"
                    % (arguments[0], "did you mean %s? " % near[0] if near else ""))
    start(name, arguments[1:])


def main():
    try:
        run(sys.argv[1:])
        return 0
    except Fault as fault:
        sys.stdout.flush()
        sys.stderr.write("error: %s\n" % re.sub(r"[\x00-\x1f\x7f]", " ", str(fault)))  # one line, whatever a path contains
        return fault.code


if __name__ == "__main__":
    sys.exit(main())
