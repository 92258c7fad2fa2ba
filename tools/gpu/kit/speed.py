"""run.sh speed: steps a second beside the official code on the same PyTorch, in turns, and end to end from JPEG files."""

import functools
import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time

import photographs
from place import FOLDER, Failure

TURNS = 3  # of each side, A B A B
SECONDS_A_TURN = 1.0


class Case:
    """One network, batch and arithmetic. `references`: of REFERENCES; `ours`: of OURS."""

    def __init__(self, arch, size, batch, splits, precision, references, ours=("ours",)):
        self.arch, self.size, self.batch, self.splits, self.precision = arch, size, batch, splits, precision
        self.references, self.ours = references, ours
        network = "ResNet-50" if "50" in arch else "ResNet-18" if "18" in arch else "a small ResNet"
        self.name = f"{network}, {size} px, batch {batch}, {splits} split{'s' * (splits > 1)}, {precision}"

    def flags(self, precision=None, batch=None):
        method = (["--head=linear", "--moco_k=4096", "--moco_m=0.99", "--moco_t=0.1"] if self.splits > 1 else
                  ["--head=mlp", "--moco_k=65536", "--moco_m=0.999", "--moco_t=0.2"])
        return [f"--arch={self.arch}", f"--size={self.size}", f"--batch_size={batch or self.batch}",
                f"--bn_splits={self.splits}", f"--precision={precision or self.precision}", "--batches=2", *method]


# The official code: as it is (fp32; main_moco.py lets cuDNN try algorithms); tuned by hand; compiled.
REFERENCES = {
    "official": ["--precision=fp32", "--cudnn_benchmark"],
    "tuned": ["--channels_last", "--cudnn_benchmark"],
    "compiled": ["--channels_last", "--cudnn_benchmark", "--compile"],
}
# Ours: repeatable to the bit, as `pretrain` is by default; with what PyTorch allows by default, and cuDNN's trials.
OURS = {"ours": [], "ours, not repeatable": ["--tf32", "--cudnn_benchmark"]}

R50, R18 = "resnet50", "resnet18:stem=cifar"
BOTH, ALL = ("official", "tuned"), ("official", "tuned", "compiled")
# In the order of their weight: a call that ends early has measured the first ones.
CASES = [
    Case(R50, 224, 256, 1, "bf16", ALL, tuple(OURS)),
    Case(R18, 32, 512, 8, "bf16", ALL, tuple(OURS)),
    Case(R50, 224, 256, 1, "fp32", BOTH, tuple(OURS)),
    Case(R18, 32, 512, 8, "fp32", BOTH),
    Case(R50, 224, 128, 1, "bf16", BOTH),
    Case(R18, 32, 512, 1, "bf16", BOTH),
    Case(R18, 32, 256, 8, "bf16", BOTH),
    Case(R18, 32, 256, 1, "bf16", BOTH),
    Case(R50, 224, 128, 1, "fp32", BOTH),
    Case(R18, 32, 512, 1, "fp32", BOTH),
    Case(R18, 32, 256, 8, "fp32", BOTH),
    Case(R18, 32, 256, 1, "fp32", BOTH),
]
# Small enough for a CPU that has no instructions for bf16.
SMALL = [Case("resnet_small", 16, 16, 1, "fp32", ALL), Case(R18, 16, 48, 2, "fp32", ("official",)),
         Case("resnet_small", 16, 16, 1, "bf16", ("tuned",))]


class Side:
    """A process that computes steps when it is told to."""

    def __init__(self, place, name, command, environment):
        self.name, self.place = name, place
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
                                        env=environment, cwd=place.runs)

    def steps(self, count, what=""):
        """What the process answers, a line of JSON."""
        answer = ""
        try:
            print(what, count, file=self.process.stdin, flush=True)
            if not select.select([self.process.stdout], [], [], max(1, self.place.left()))[0]:
                self.process.kill()
                raise Failure(f"{self.name} did not answer in time")
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            pass
        if not answer:
            self.process.kill()
            self.process.wait()
            self.errors.seek(0)
            lines = self.errors.read().strip().splitlines() or ["nothing was said"]
            raise Failure(f"{self.name} ended with {self.process.returncode}: {lines[-1][:400]}")
        return json.loads(answer)

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()


class Speed:

    def __init__(self, place, part, save):
        self.place, self.part, self.save = place, part, save
        self.cases = SMALL if place.rehearsal else CASES
        self.turns = 2 if place.rehearsal else TURNS
        self.official = place.work / "official"
        self.prepare_official()

    def prepare_official(self):
        """The official files; for a CPU without `.cuda()`."""
        self.official.mkdir(exist_ok=True)
        for name in "official_builder.py", "official_demo.py":
            source = FOLDER / "official" / name
            if source.exists():
                text = source.read_text()
                (self.official / name).write_text(text.replace(".cuda()", "") if self.place.rehearsal else text)

    def ours(self, name, case, *more, **changed):
        flags = [*case.flags(**changed), f"--device={self.place.device}", f"--threads={self.place.threads}", *OURS[name], *more]
        return Side(self.place, name, self.place.command("benchmarks/step_benchmark", *flags), self.place.environment)

    def theirs(self, name, case, *more, **changed):
        which = "demo" if case.splits > 1 else "builder"
        if not (self.official / f"official_{which}.py").exists():
            raise Failure(f"the official {which} is not in the kit; pack it with --moco=CLONE")
        options = [option if option != "--compile" or not self.place.rehearsal else "--compile=eager"
                   for option in REFERENCES[name]]
        if which == "demo":  # whose split norm takes no channels_last
            options = [option.replace("--channels_last", "--foreach") for option in options]
        command = [sys.executable, "-B", str(FOLDER / "official_step.py"),
                   "--code", f"{self.official}:{FOLDER}", "--official", which, *case.flags(**changed),
                   f"--device={self.place.device}", f"--threads={self.place.threads}", *options, *more]
        return Side(self.place, name, command, dict(os.environ))

    # --- Equal mathematics ---

    def gate(self, case):
        """The largest relative difference of 20 losses in float64."""
        batch = 2 * case.splits if self.place.rehearsal else 16
        a = self.ours("ours", case, precision="fp64", batch=batch)
        b = self.theirs("tuned", case, "--precision=fp64", "--our_shuffles", precision="fp64", batch=batch)
        try:
            pairs = zip(a.steps(20)["losses"], b.steps(20)["losses"], strict=True)
            largest = max(abs(x - y) / abs(y) for x, y in pairs)
        finally:
            a.close(), b.close()
        if not largest < 1e-9:
            raise Failure(f"the losses in float64 differ by {largest:.1e}: the two sides do not compute the same thing")
        return {"gate": largest}

    # --- Turns ---

    def compare(self, case, our_name, reference):
        """Both sides' rates in turns."""
        a, b = self.ours(our_name, case), self.theirs(reference, case)
        try:
            first = [side.steps(1)["losses"][0] for side in (a, b)]
            difference = abs(first[0] - first[1]) / abs(first[1])
            # With splits, other shuffles give other statistics.
            if not difference < (0.05 if case.splits > 1 else 1e-2):
                raise Failure(f"the first losses differ: {first[0]} and {first[1]}")
            warm = [side.steps(4 if reference != "compiled" else 8) and side.steps(2)["turn"] / 2 for side in (a, b)]
            seconds = 0.05 if self.place.rehearsal else SECONDS_A_TURN
            counts = [max(2, min(200, round(seconds / w))) for w in warm]
            turns = [[side.steps(count)["turn"] / count for side, count in zip((a, b), counts)] for _ in range(self.turns)]
            traces = [side.steps(5, "trace") for side in (a, b)]
        finally:
            a.close(), b.close()
        ratios = [theirs / ours for ours, theirs in turns]
        row = {"ratio": statistics.median(ratios), "ratios": ratios, "first_loss": difference}
        for side, times, trace in zip(("ours", "theirs"), zip(*turns), traces):
            row[side] = {"pairs_per_second": case.batch / statistics.median(times), "turns": list(times),
                         "memory": trace["peak"], **{key: trace[key] for key in ("kernels", "copies", "waits", "busy")
                                                     if key in trace}}
        return row

    def measure(self, key, work):
        """Once, and not if the time does not suffice; returns whether it was tried."""
        done = self.part.setdefault("done", {})
        if "failed" not in done.get(key, {"failed": ""}):
            return True
        needs = 5 if self.place.rehearsal else 160 if "compiled" in key else 90 if key == "end to end" else 45
        if self.place.left() < needs:
            return False
        began = time.monotonic()
        print(f"speed    {key}", flush=True)
        try:
            done[key] = work()
        except (Failure, OSError, ValueError, KeyError) as failure:
            done[key] = {"failed": f"{failure}" or type(failure).__name__}
            print(f"FAILED   {failure}", flush=True)
        done[key]["seconds"] = round(time.monotonic() - began, 1)
        self.save()
        return True

    # --- End to end ---

    def end_to_end(self):
        """Pairs a second of pretrain from JPEG files, between its early steps and its last."""
        case = self.cases[0]
        folder = photographs.make(self.place)
        steps = 4 if self.place.rehearsal else 50  # of an epoch
        workers = min(16, self.place.threads)
        name = "end_to_end"
        photographs.link(self.place, folder, steps * case.batch)
        self.place.run("moco/pretrain", self.place.work / "photographs_of_a_run", f"--arch={case.arch}",
                       f"--batch-size={case.batch}", f"--image-size={case.size}", "--mlp", "--moco-t=0.2", "--aug-plus", "--cos",
                       f"--precision={case.precision}", "--epochs=5", "--checkpoint-every=100", f"--workers={workers}",
                       f"--device={self.place.device}", f"--run-dir={name}", "--print-freq=1" if self.place.rehearsal else
                       "--print-freq=10", "--moco-k=65536" if not self.place.rehearsal else "--moco-k=64")
        lines = [line for line in self.place.metrics(name) if "pairs_per_second" in line]
        # The rate is that since the start: the times at which two lines were written follow from it.
        early, last = next(line for line in lines if line["step"] > steps), lines[-1]
        at = [line["step"] * case.batch / line["pairs_per_second"] for line in (early, last)]
        row = {"pairs_per_second": (last["step"] - early["step"]) * case.batch / (at[1] - at[0]), "workers": workers,
               "waiting": last["waiting"], "bytes_an_image": photographs.mean_size(folder), "case": case.name}
        of_case = self.part["done"].get(f"{case.name}: ours beside tuned", {})
        if "ours" in of_case:
            row["of_compute_only"] = row["pairs_per_second"] / of_case["ours"]["pairs_per_second"]
        return row

    def work(self):
        """What is measured, in the order of its weight: its key and a function."""
        def pairs(case, references, ours):
            return [(f"{case.name}: {our_name} beside {reference}", functools.partial(self.compare, case, our_name, reference))
                    for our_name in ours for reference in references]

        work = [(f"{case.name}: float64", functools.partial(self.gate, case)) for case in self.cases[:2]]
        for number, case in enumerate(self.cases):
            work += pairs(case, [reference for reference in case.references if reference != "compiled"], ["ours"])
            work += pairs(case, ["tuned"], case.ours[1:])
            if number == 1:
                work.append(("end to end", self.end_to_end))
        for case in self.cases:
            work += pairs(case, [reference for reference in case.references if reference == "compiled"], case.ours[-1:])
        return work

    def run(self):
        work = self.work()
        self.part["wanted"] = [key for key, _ in work]
        whole = [self.measure(key, what) for key, what in work]
        return all(whole) and not any("failed" in self.part["done"][key] for key, _ in work)


def run(place, part, save):
    """Fills `part`; returns whether everything could be measured."""
    return Speed(place, part, save).run()
