"""run.sh check: what a GPU computes is what the CPU computes, and the same again."""

import json
import re
import shutil
import signal
import subprocess
import time

from place import Failure, last_lines

# A tensor in what `inspect` prints: its name, and the checksum at the end of the line.
TENSOR = re.compile(r"^  (\S+) .* ([0-9a-f]{8})$", re.MULTILINE)


def tests(place, program, *flags):
    """Runs a program of tests; returns them."""
    report = place.runs / (program.replace("/", "_") + ".json")
    report.unlink(missing_ok=True)
    said = place.run(program, f"--gtest_output=json:{report}", *flags, expect=None, timeout=400)
    if not report.exists():
        raise Failure(f"{program} broke off: {last_lines(said)}")
    return [test for suite in json.loads(report.read_text())["testsuites"] for test in suite["testsuite"]]


def reason(test):
    entries = test.get("failures") or test.get("skipped") or [{}]
    entry = entries[0]
    return " ".join((entry.get("failure") or entry.get("message") or "").split())[:400]


def judge(place, found):
    """Raises if a test failed, or was left out for want of a device."""
    failed = [test for test in found if test.get("failures")]
    skipped = [test for test in found if test["result"] == "SKIPPED"]
    if not place.rehearsal:
        failed += [test for test in skipped if "no device" in reason(test)]
    if failed:
        raise Failure(f"{len(failed)} of {len(found)} tests: " +
                      "; ".join(f"{test['name']}: {reason(test)}" for test in failed[:4]))
    left_out = f", {len(skipped)} do not apply" if skipped else ""
    return f"{len(found) - len(skipped)} tests{left_out}"


class Check:

    def __init__(self, place, part):
        self.place, self.part = place, part
        self.few = place.few_images()
        arch = "resnet_small:width=8,blocks=1,stages=2" if place.rehearsal else "resnet18:stem=cifar"
        self.settings = [str(self.few), f"--arch={arch}", "--image-size=32", "--batch-size=40", "--moco-k=480", "--bn-splits=4",
                         "--mlp", "--moco-t=0.2", "--lr=0.06", "--cos", "--epochs=4", "--print-freq=1", "--seed=1"]

    def device(self):
        return [f"--device={self.place.device}"]

    # --- Programs of tests ---

    def libraries(self):
        found = tests(self.place, "tests/cuda/libraries_test")
        found += tests(self.place, "moco/training/cuda_devices_test")
        return judge(self.place, found)

    def operations(self):
        # On a CPU, whole encoders take a minute, and //tests/device has compared them.
        few = ["--gtest_filter=-*encoder_*"] * self.place.rehearsal
        found = tests(self.place, "tests/device/operations_on_device", *few)
        rows = {}
        for test in found:
            match = re.match(r"(\w+)/(\w+)_(?:cpu|cuda)_(fp64|fp32|bf16)$", test["name"])
            if not match:
                continue
            row = rows.setdefault(match[2], {}).setdefault(match[3], {})
            row.update({key: test[key] for key in ("error", "bound", "repeats") if key in test})
        self.part["operations"] = rows
        changing = self.not_repeatable()
        return judge(self.place, found) + (f"; not the same bits again: {', '.join(changing)}" if changing else
                                           "; each gives the same bits again")

    def not_repeatable(self):
        return [f"{name} ({precision})" for name, row in self.part.get("operations", {}).items()
                for precision, values in row.items() if values.get("repeats") == "no"]

    def training(self):
        return judge(self.place, tests(self.place, "tests/device/training_on_device"))

    # --- Runs ---

    def fresh(self, name):
        """The name of a run, without what an earlier try has left."""
        shutil.rmtree(self.place.runs / name, ignore_errors=True)
        return name

    def pretrain(self, name, *more):
        self.fresh(name)
        self.place.run("moco/pretrain", *self.settings, *self.device(), f"--run-dir={name}", *more)
        return self.losses(name)

    def losses(self, name):
        return [line["loss"] for line in self.place.metrics(name) if "loss" in line]

    def checkpoint(self, name):
        return max((self.place.runs / name / "checkpoints").glob("checkpoint_????.pth.tar"))

    def compare(self, name, other):
        """Raises if two runs ended with other bits, and says where and by which operations."""
        one, two = self.checkpoint(name), self.checkpoint(other)
        if one.read_bytes() == two.read_bytes():
            return "the same checkpoint, byte for byte"
        tensors = [dict(TENSOR.findall(self.place.run("tools/inspect", path))) for path in (one, two)]
        differ = [tensor for tensor in tensors[0] if tensors[0][tensor] != tensors[1].get(tensor)]
        if not differ:
            return "the same tensors, bit for bit"
        losses = [index for index, pair in enumerate(zip(self.losses(name), self.losses(other))) if len(set(pair)) > 1]
        first = f"the losses differ from step {losses[0] + 1} on" if losses else "all losses are the same"
        operations = ", ".join(self.not_repeatable()) or "none of the list"
        raise Failure(f"{len(differ)} of {len(tensors[0])} tensors differ, {differ[0]} first; {first}; operations that do not "
                      f"repeat: {operations}")

    def like_the_cpu(self):
        ours = self.pretrain("fp32")
        self.place.run("moco/pretrain", *self.settings, "--device=cpu", "--epochs=1", f"--run-dir={self.fresh('cpu')}")
        theirs = self.losses("cpu")
        differences = [abs(a - b) / abs(b) for a, b in zip(ours, theirs)]
        if not differences[0] < 1e-4:
            raise Failure(f"the first losses differ by {differences[0]:.1e}: {ours[0]} and {theirs[0]} on the CPU")
        return (f"first loss within {differences[0]:.0e}, that of step {len(differences)} within {differences[-1]:.0e}; "
                f"{len(ours)} steps")

    def repeated(self):
        self.pretrain("again")
        return self.compare("fp32", "again")

    def resumed(self):
        command = self.place.command("moco/pretrain", *self.settings, *self.device(),
                                     f"--run-dir={self.fresh('stopped')}")
        with open(self.place.runs / "stopped.txt", "w+") as said:
            process = subprocess.Popen(command, cwd=self.place.runs, env=self.place.environment, stdout=said,
                                       stderr=subprocess.STDOUT)
            # After the first step the untrained encoder is evaluated, and a signal would leave no checkpoint.
            while process.poll() is None and len(self.losses("stopped")) < 2:
                time.sleep(0.002)
            process.send_signal(signal.SIGINT)
            code = process.wait(timeout=120)
            said.seek(0)
            if code != 130:
                raise Failure(f"exit code {code} after SIGINT instead of 130: {last_lines(said.read())}")
        stopped = len(self.losses("stopped"))
        self.place.run("moco/pretrain", "--resume=stopped")
        return f"stopped after {stopped} steps; " + self.compare("fp32", "stopped")

    def bf16(self):
        # Without AVX512_BF16 or AMX it is slow on a CPU.
        losses = self.pretrain("bf16", "--precision=bf16", *["--force-bf16", "--epochs=1"] * self.place.rehearsal)
        other = self.losses("fp32")[:len(losses)]
        last = len(losses) // 2
        difference = abs(sum(losses[-last:]) / sum(other[-last:]) - 1)
        if not difference < 0.05:
            raise Failure(f"the losses of the second half differ by {difference:.1%} from those of fp32")
        return f"mean loss of the second half within {difference:.1%} of fp32's"

    def one_rank(self):
        backend = "gloo" if self.place.rehearsal else "nccl"
        self.place.run("dist/launch", "--nproc=1", "--", *self.settings, *self.device(), f"--dist-backend={backend}",
                       f"--run-dir={self.fresh('rank')}")
        one, two = self.losses("fp32")[0], self.losses("rank")[0]
        if not abs(one - two) <= 1e-5 * abs(one):
            raise Failure(f"the first loss is {two}, and {one} without {backend}")
        return f"{backend} over one rank; " + (
            "the same losses" if self.losses("fp32") == self.losses("rank") else "the first loss is the same")

    def classifier(self):
        said = self.place.run("lincls/lincls", self.few, "--pretrained=fp32", "--epochs=3", "--batch-size=40", *self.device(),
                              f"--run-dir={self.fresh('classifier')}")
        accuracy = re.findall(r"Acc@1 ([\d.]+)", said)
        return f"Acc@1 {accuracy[-1]} %" if accuracy else last_lines(said, 1)

    def features(self):
        import numpy
        arrays = []
        for device in self.place.device, "cpu":
            folder = self.place.runs / self.fresh(f"features_{len(arrays)}_{device}")
            for split in "training", "validation":
                self.place.run("lincls/features", self.few, "--pretrained=fp32", f"--split={split}", f"--device={device}",
                               f"--out={folder / split}")
            arrays.append(numpy.load(next((folder / "validation").glob("*.npy"))))
            if len(arrays) == 1:
                said = self.place.run("lincls/knn", folder / "training", folder / "validation")
        difference = numpy.linalg.norm(arrays[0] - arrays[1]) / numpy.linalg.norm(arrays[1])
        if not difference < 1e-3:
            raise Failure(f"the features differ by {difference:.1e} from those of the CPU")
        return f"within {difference:.0e} of the CPU's; {last_lines(said, 1)}"

    def export(self):
        (self.place.runs / "encoder.pth").unlink(missing_ok=True)
        said = self.place.run("tools/export", self.checkpoint("fp32"), "--to=torchvision", "--out=encoder.pth", "--verify",
                              f"--images={self.few / 'val'}")
        return last_lines(said, 1)

    def out_of_memory(self):
        if self.place.rehearsal:
            return None
        said = self.place.run("moco/pretrain", self.place.images, "--arch=wide_resnet101_2", "--batch-size=4096",
                              "--moco-k=4096", "--image-size=128", *self.device(), f"--run-dir={self.fresh('too_large')}", expect=4)
        errors = [line for line in said.splitlines() if line.startswith("error: ")]
        if len(errors) != 1 or "out of memory on the GPU" not in errors[0] or not said.rstrip().endswith(errors[0]):
            raise Failure(f"not one line on memory: {last_lines(said, 6)}")
        return errors[0]

    # In the order of what depends on what: a later item takes the runs of earlier ones.
    ITEMS = {
        "cuDNN, cuBLAS, NCCL, the choice of a device": libraries,
        "every operation beside the CPU in float64": operations,
        "steps in float64, runs on either device, the linear protocol": training,
        "a run in fp32 beside the CPU's": like_the_cpu,
        "the same run again": repeated,
        "a run stopped and resumed": resumed,
        "a run in bf16": bf16,
        "a run over NCCL": one_rank,
        "lincls": classifier,
        "features, knn": features,
        "export --verify": export,
        "out of memory": out_of_memory,
    }


def run(place, part, save):
    """Fills `part`; returns whether everything is right."""
    done = part.setdefault("items", {})
    check = Check(place, part)
    for name, item in Check.ITEMS.items():
        if done.get(name, {}).get("ok"):
            continue  # by an earlier call
        if place.left() < 20:
            done[name] = {"ok": None, "detail": "not reached; call again"}
            continue
        if item is Check.libraries and not place.about["cuda"]:
            done[name] = {"ok": None, "detail": "the kit was packed without CUDA"}
            continue
        print(f"check    {name}", flush=True)
        began = time.monotonic()
        try:
            detail = item(check)
            done[name] = {"ok": True if detail else None, "detail": detail or "needs a GPU"}
        except (Failure, OSError, KeyError, IndexError, ValueError) as failure:
            done[name] = {"ok": False, "detail": f"{'' if isinstance(failure, Failure) else type(failure).__name__ + ' '}{failure}"}
            print(f"FAILED   {failure}", flush=True)
        done[name]["seconds"] = round(time.monotonic() - began, 1)
        save()
    return all(item["ok"] is not False for item in done.values()) and any(item["ok"] for item in done.values())
