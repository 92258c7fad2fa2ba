"""Where the kit's programs, images and results are, and how its programs are started."""

import json
import os
import pathlib
import platform
import subprocess
import sys
import tarfile
import tempfile
import time

FOLDER = pathlib.Path(__file__).resolve().parent.parent  # of run.sh


class Failure(Exception):
    """What went wrong, in one line."""


def last_lines(text, count=3):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-count:])[-600:]


def first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        return done.stdout.strip().split("\n")[0] if done.returncode == 0 else ""
    except (OSError, subprocess.TimeoutExpired):
        return ""


class Place:
    """The kit, unpacked. All that it writes is in the folder `work`, so that a later call goes on with it."""

    def __init__(self, seconds):
        self.start = time.monotonic()
        self.seconds = seconds
        self.about = json.loads((FOLDER / "kit.json").read_text())
        self.device = os.environ.get("MOCOPP_DEVICE") or "cuda"
        if self.device not in ("cpu", "cuda"):
            raise Failure(f"MOCOPP_DEVICE is '{self.device}', must be cuda or cpu; CUDA_VISIBLE_DEVICES chooses among several GPUs")
        self.rehearsal = self.device == "cpu"  # then everything is small
        base = os.environ.get("MOCOPP_KIT_WORK") or os.path.join(tempfile.gettempdir(), "mocopp_gpu_kit")
        self.work = pathlib.Path(base, f"{self.about['id'][:12]}_{self.device}").absolute()
        self.images = self.work / "images"
        self.runs = self.work / "runs"
        self.runs.mkdir(parents=True, exist_ok=True)
        self.unpack("programs.tar.gz", self.work / "mocopp")
        self.unpack("images.tar.xz", self.images)
        self.threads = len(os.sched_getaffinity(0))
        sys.path.insert(0, str(self.work / "mocopp"))
        import launcher  # of the bundle (docs/bundle.md): it finds PyTorch and checks the system
        self.launcher = launcher
        needs = launcher.manifest()
        try:
            launcher.check_system(needs)
            launcher.check_library_of_cpp(needs)
            libraries = launcher.find_torch(needs)
        except launcher.Fault as fault:
            raise Failure(str(fault)) from None
        self.torch = pathlib.Path(libraries).parent
        # CUDA's libraries, which programs that call them directly need; LibTorch finds them by itself.
        nvidia = [str(folder) for path in [self.torch.parent, *map(pathlib.Path, sys.path)]
                  for folder in sorted(path.glob("nvidia/*/lib"))]
        folders = [str(self.work / "mocopp/lib"), libraries, *dict.fromkeys(nvidia), os.environ.get("LD_LIBRARY_PATH")]
        self.environment = dict(os.environ, LD_LIBRARY_PATH=os.pathsep.join(filter(None, folders)),
                                RUNFILES_DIR=launcher.TREE, MOCOPP_STARTED_AS="mocopp", MOCOPP_DEVICE=self.device)

    def unpack(self, archive, target):
        """Once; under the final name only when it is whole."""
        if target.exists():
            return
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            with tarfile.open(FOLDER / archive) as tar:
                tar.extractall(scratch, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
            folders = list(pathlib.Path(scratch).iterdir())
            whole = folders[0] if len(folders) == 1 else pathlib.Path(scratch, "all")
            if len(folders) > 1:
                whole.mkdir()
                for folder in folders:
                    folder.rename(whole / folder.name)
            whole.rename(target)

    def left(self):
        """Seconds until this call should end."""
        return self.seconds - (time.monotonic() - self.start)

    def command(self, program, *arguments):
        path = os.path.join(self.launcher.TREE, "mocopp", program)
        if not os.path.exists(path):
            raise Failure(f"{program} is not in the kit; pack it with --config=cuda (tools/gpu/pack.sh)")
        return [path, *map(str, arguments)]

    def run(self, program, *arguments, expect=0, timeout=240, **variables):
        """Runs a program in the folder of runs; returns what it said."""
        command = self.command(program, *arguments)
        timeout = max(1, min(timeout, self.left()))
        try:
            done = subprocess.run(command, cwd=self.runs, env={**self.environment, **variables}, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                  check=False, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"{program} was stopped after {timeout:.0f} s") from None
        if expect is not None and done.returncode != expect:
            raise Failure(f"{program} ended with {done.returncode} instead of {expect}: {last_lines(done.stdout)}")
        return done.stdout

    def metrics(self, run):
        """The lines of a run's metrics.jsonl that are whole."""
        path = self.runs / run / "metrics.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("}\n")]

    def few_images(self):
        """A part of the images, in a folder of its own."""
        few = self.work / "few"
        counts = {"train": 40 if self.rehearsal else 100, "val": 20}
        if not few.exists():
            for split, count in counts.items():
                for folder in sorted((self.images / split).iterdir()):
                    target = self.work / "few.new" / split / folder.name
                    target.mkdir(parents=True, exist_ok=True)
                    for file in sorted(folder.iterdir())[:count]:
                        if not (target / file.name).exists():
                            os.link(file, target / file.name)
            (self.work / "few.new").rename(few)
        return few

    def machine(self):
        """What the results were measured on."""
        about = {"device": self.device, "cores": self.threads, "python": platform.python_version(),
                 "torch": self.launcher.torch_version(str(self.torch)), "system": platform.release(),
                 "date": time.strftime("%Y-%m-%d", time.gmtime()), "commit": self.about["commit"]}
        about["processor"] = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                                   if line.startswith("model name")), platform.machine())
        if not self.rehearsal:
            query = "--query-gpu=name,driver_version,memory.total"
            about["gpu"] = first_line(["nvidia-smi", query, "--format=csv,noheader"])
        return about
