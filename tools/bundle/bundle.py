#!/usr/bin/env python3
"""Makes a bundle: all programs with the libraries that they need, for machines on which nothing is built.

    bazel run //tools:bundle -- --out=mocopp.tar.gz     # an archive: unpack it, and run mocopp/bin/mocopp
    bazel run //tools:bundle -- --format=wheel          # a wheel for pip

LibTorch is not inside. The launcher takes it from an installed PyTorch of the same version. The same build gives the same
bundle, byte for byte. docs/bundle.md says more.
"""

import argparse
import base64
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

VERSION = "0.1.0"

# Part of every system on which programs of this glibc run. A copy would not suit the system's own loader, or would be
# older than what another library of the system needs.
OF_THE_SYSTEM = re.compile(r"(ld-linux-.*|linux-vdso|lib(c|m|dl|rt|pthread|util|resolv|stdc\+\+|gcc_s))\.so(\.\d+)?")
# In PyTorch's folder lib/. libgomp is there, too: two in one process would each have threads of their own.
OF_TORCH = re.compile(r"lib(c10|torch)\w*\.so|libgomp\.so\.1")
# Their code is in the programs themselves, so that no library names them.
STATIC_PACKAGES = ["libfaiss-dev", "nlohmann-json3-dev"]
COMMON_LICENSES = pathlib.Path("/usr/share/common-licenses")


class Fault(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def runfiles():
    """The folder of this repository's files beside this program."""
    for folder in sys.argv[0] + ".runfiles", os.environ.get("RUNFILES_DIR"), os.environ.get("TEST_SRCDIR"):
        if folder and (root := pathlib.Path(folder, "mocopp")).is_dir():
            return root
    raise Fault(2, "the programs are not beside this one; start it with bazel run //tools:bundle")


def output_of(*command):
    environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    try:
        done = subprocess.run(command, env={**environment, "LC_ALL": "C"}, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Fault(4, f"{command[0]} is not installed; run ./tools/setup.sh (a bundle is made on Debian)") from None
    if done.returncode != 0:
        raise Fault(4, f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout.strip()}".replace("\n", " "))
    return done.stdout


class Elf:
    """What a program or a shared library needs."""

    def __init__(self, file):
        text = output_of("objdump", "-p", file)
        self.needed = re.findall(r"^ +NEEDED +(\S+)", text, re.MULTILINE)
        self.glibc = [tuple(map(int, version)) for version in re.findall(r" GLIBC_(\d+)\.(\d+)", text)]
        self.libstdcxx = [int(version) for version in re.findall(r" GLIBCXX_3\.4\.(\d+)", text)]  # of libstdc++.so.6.0.N


def resolved(program):
    """The files of all libraries that the loader would load for `program`, by name."""
    found = {}
    for name, target in re.findall(r"^\s+(\S+) => (.+?)(?: \(0x\w+\))?$", output_of("ldd", program), re.MULTILINE):
        if target == "not found":
            raise Fault(4, f"{program} needs {name}, which this machine lacks; run ./tools/setup.sh")
        found[name] = target
    return found


def packages_of(files):
    """The Debian packages, with versions, that files belong to."""
    # One package may name a file in /lib, and the loader find it in /usr/lib, or the other way round.
    said = output_of("dpkg-query", "-S", *[f"*/{pathlib.Path(file).resolve().name}" for file in files])
    owners = {}
    for packages, path in re.findall(r"^(.+?): (/.*)$", said, re.MULTILINE):
        owners[os.path.realpath(path)] = packages.split(",")[0].split(":")[0]
    missing = [file for file in files if os.path.realpath(file) not in owners]
    if missing:
        raise Fault(4, f"{missing[0]} belongs to no Debian package, so that its licence is not known; a bundle is made on Debian")
    return {file: owners[os.path.realpath(file)] for file in files}


def version_of(package):
    said = output_of("dpkg-query", "-W", "-f=${db:Status-Abbrev} ${source:Package} ${source:Version}\n", package)
    return next(line.split()[1:] for line in said.splitlines() if line.startswith("ii"))


class Bundle:
    """The files of the folder mocopp/: contents and whether they are programs, by path."""

    def __init__(self, root, scratch):
        self.root, self.scratch = root, scratch
        self.files = {}
        sys.path.insert(0, str(root / "tools/bundle"))
        sys.dont_write_bytecode = True
        self.launcher = __import__("launcher")
        self.torch = re.search(r"^torch==(\S+)", (root / "third_party/torch/cpu.lock").read_text(), re.MULTILINE)[1]

    def add(self, path, contents, program=False):
        self.files[path] = (contents, program)

    def add_programs(self, places):
        """Adds the programs at `places` in the tree, and their libraries; returns the libraries' files by name."""
        libraries, of_torch, files = {}, set(), []
        for place in places:
            source = (self.root / place).resolve()
            found = resolved(source)
            libraries.update((name, file) for name, file in found.items() if "/_solib_" not in file and
                             not OF_THE_SYSTEM.fullmatch(name) and not OF_TORCH.fullmatch(name))
            program = self.scratch / "program"
            shutil.copyfile(source, program)
            program.chmod(0o755)
            elf = Elf(program)
            # Without the run path of Bazel's tree; and without what only LibTorch needs, which finds it by its own run path,
            # and of which a PyTorch without CUDA has nothing.
            others = [name for name in elf.needed
                      if "/_solib_" in found.get(name, "") and not OF_TORCH.fullmatch(name)]
            output_of("patchelf", "--remove-rpath", *[word for name in others for word in ("--remove-needed", name)], program)
            of_torch.update(name for name in elf.needed if OF_TORCH.fullmatch(name))
            files.append(elf)
            self.add(f"programs/mocopp/{place}", program.read_bytes(), program=True)
        for name, file in libraries.items():
            files.append(Elf(file))
            self.add(f"lib/{name}", pathlib.Path(file).read_bytes())
        self.needs = {
            "version": VERSION,
            "machine": os.uname().machine,
            "glibc": "%d.%d" % max(version for elf in files for version in elf.glibc),
            "libstdc++": max(version for elf in files for version in elf.libstdcxx),
            "torch": self.torch,
            "torch_libraries": sorted(of_torch - {"libgomp.so.1"}),  # which a system may have instead
        }
        self.add("manifest.json", (json.dumps(self.needs, indent=2) + "\n").encode())
        return libraries

    def add_licenses(self, libraries):
        owner = packages_of(sorted(libraries.values()))
        of_package = {package: [] for package in STATIC_PACKAGES}
        for name, file in libraries.items():
            of_package.setdefault(owner[file], []).append(name)
        lines = ["# Licences", "", "LibTorch is not part of this bundle; code from its headers is (`PyTorch.txt`). The demo's images are",
                 "described in `demo_images.md`. The other parts come from Debian, which also has their sources:", "",
                 "| part | Debian source package | licence |", "| --- | --- | --- |"]
        common = set()
        for package, names in sorted(of_package.items()):
            text = pathlib.Path("/usr/share/doc", package, "copyright").read_bytes()
            self.add(f"licenses/{package}.txt", text)
            common.update(re.findall(rb"/usr/share/common-licenses/([\w.+-]*\w)", text))
            what = ", ".join(f"`{name}`" for name in sorted(names)) or f"{package}, in the programs"
            lines.append(f"| {what} | {' '.join(version_of(package))} | [{package}.txt]({package}.txt) |")
        for license_name in sorted(name.decode() for name in common):
            if (COMMON_LICENSES / license_name).exists():
                self.add(f"licenses/common-licenses/{license_name}", (COMMON_LICENSES / license_name).read_bytes())
        lines += ["", "Texts to which these files refer as `/usr/share/common-licenses` are in `common-licenses/`.", ""]
        self.add("licenses/README.md", "\n".join(lines).encode())
        self.add("licenses/PyTorch.txt", (self.root.parent / "torch/LICENSE").read_bytes())
        self.add("licenses/demo_images.md", (self.root / "data/demo/README.md").read_bytes())

    def add_texts(self):
        """The launcher, the programs in Python, the documentation and the demo's images."""
        self.add("__init__.py", b"")
        self.add("launcher.py", (self.root / "tools/bundle/launcher.py").read_bytes())
        self.add("bin/mocopp", (self.root / "tools/bundle/mocopp").read_bytes(), program=True)
        for pattern in "tools/to_tar/*.py", "third_party/python/to_tar.lock", "data/demo/*/*.tar":
            for file in self.root.glob(pattern):
                self.add(f"programs/mocopp/{file.relative_to(self.root)}", file.read_bytes())
        for file in (self.root / "docs").rglob("*"):
            if file.is_dir():
                continue
            contents = file.read_bytes()
            if file.suffix == ".md" and file.name != "bundle.md":  # which compares both forms
                contents = self.launcher.as_started(contents.decode(), "mocopp").encode()
            self.add(str(file.relative_to(self.root)), contents, program=file.suffix == ".sbatch")

    def archive(self):
        """The folder as a tar archive, compressed by gzip."""
        packed = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0, compresslevel=6) as compressed:
            with tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                for path, (contents, program) in sorted(self.files.items()):
                    entry = tarfile.TarInfo(f"mocopp/{path}")
                    entry.size, entry.mode = len(contents), 0o755 if program else 0o644
                    tar.addfile(entry, io.BytesIO(contents))
        return packed.getvalue()

    def wheel_name(self):
        return f"mocopp-{VERSION}-{self.tag()}.whl"

    def tag(self):
        return f"py3-none-manylinux_{self.needs['glibc'].replace('.', '_')}_{self.needs['machine']}"

    def wheel(self):
        """The folder as a wheel (PEP 427)."""
        info = f"mocopp-{VERSION}.dist-info"
        packages = re.findall(r"^(\w+==\S+)", (self.root / "third_party/python/to_tar.lock").read_text(), re.MULTILINE)
        metadata = ["Metadata-Version: 2.1", "Name: mocopp", f"Version: {VERSION}",
                    "Summary: Momentum contrast (MoCo v1 and v2): training image encoders without labels",
                    "Requires-Python: >=3.10", f"Requires-Dist: torch=={self.torch}", "Provides-Extra: to-tar",
                    *[f'Requires-Dist: {package}; extra == "to-tar"' for package in packages],
                    "Description-Content-Type: text/markdown", "", self.files["docs/bundle.md"][0].decode()]
        files = {f"mocopp/{path}": entry for path, entry in self.files.items()}
        files[f"{info}/METADATA"] = ("\n".join(metadata).encode(), False)
        files[f"{info}/WHEEL"] = (f"Wheel-Version: 1.0\nGenerator: mocopp ({VERSION})\nRoot-Is-Purelib: false\n"
                                  f"Tag: {self.tag()}\n".encode(), False)
        files[f"{info}/entry_points.txt"] = (b"[console_scripts]\nmocopp = mocopp.launcher:main\n", False)
        record = []
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            def write(path, contents, program):
                entry = zipfile.ZipInfo(path)  # of 1980-01-01
                entry.create_system, entry.compress_type = 3, zipfile.ZIP_DEFLATED
                entry.external_attr = (0o100755 if program else 0o100644) << 16
                archive.writestr(entry, contents)

            # An installer reads the folder dist-info at the end of the archive first.
            for path, (contents, program) in sorted(files.items(), key=lambda file: (file[0].startswith(info), file[0])):
                digest = base64.urlsafe_b64encode(hashlib.sha256(contents).digest()).rstrip(b"=").decode()
                record.append(f"{path},sha256={digest},{len(contents)}\n")
                write(path, contents, program)
            record.append(f"{info}/RECORD,,\n")
            write(f"{info}/RECORD", "".join(record).encode(), False)
        return packed.getvalue()


def write(target, contents):
    """Under the final name only when it is whole."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=target.name, delete=False) as file:
            try:
                file.write(contents)
                file.close()
                mask = os.umask(0)
                os.umask(mask)
                os.chmod(file.name, 0o666 & ~mask)
                os.replace(file.name, target)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise Fault(4, f"'{target}' cannot be written: {error.strerror}; free space or give another place by --out") from None


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Fault(2, f"{message}; --help lists what there is")


def run():
    parser = Parser(prog="bundle", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("--format", choices=["tar", "wheel"], default="tar", help="what to write (default: tar, compressed by gzip)")
    parser.add_argument("--out", metavar="PATH", default=".", help="file to write, or a folder in which it gets the usual name; an "
                        "older file is replaced (default: the current folder)")
    options = parser.parse_args()
    target = pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."), os.path.expanduser(options.out))
    with tempfile.TemporaryDirectory() as scratch:
        bundle = Bundle(runfiles(), pathlib.Path(scratch))
        libraries = bundle.add_programs([place for place, _ in bundle.launcher.PROGRAMS.values() if not place.endswith(".py")])
        bundle.add_licenses(libraries)
        bundle.add_texts()
    name = "mocopp.tar.gz" if options.format == "tar" else bundle.wheel_name()
    if target.is_dir() or options.format == "wheel" and target.suffix != ".whl":
        target = target / name
    elif options.format == "wheel" and target.name != name:
        raise Fault(2, f"--out={options.out}: pip installs a wheel only under the name {name}; give that name, or a folder")
    contents = bundle.archive() if options.format == "tar" else bundle.wheel()
    write(target, contents)
    print(f"wrote    {target}, {len(contents) / 1e6:.1f} MB: {len(bundle.launcher.PROGRAMS)} programs, {len(libraries)} libraries")
    print(f"requires PyTorch {bundle.torch}{' with CUDA' if 'libtorch_cuda.so' in bundle.needs['torch_libraries'] else ''}, "
          f"glibc {bundle.needs['glibc']} or newer, {bundle.needs['machine']}")
    return 0


def main():
    try:
        return run()
    except Fault as fault:
        print(f"error: {fault}", file=sys.stderr)
        return fault.code


if __name__ == "__main__":
    sys.exit(main())
