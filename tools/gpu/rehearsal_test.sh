#!/usr/bin/env bash
# The kit for a day with a GPU, packed and run on the CPU with small sizes: check, speed against a stand-in for the official
# code, and demo, which is stopped once and goes on. The argument is a Python with PyTorch.
set -uo pipefail

python=$PWD/$1
pack=$PWD/tools/gpu/pack
page=$PWD/tools/gpu/page.py
stand_in=$PWD/tools/gpu/stand_in.py
demo=$PWD/data/demo
export RUNFILES_DIR=$PWD/..
cd "$TEST_TMPDIR" || exit 1

fail() {
  echo "FAILED: $*"
  exit 1
}

# 40 training and 20 test images of each class.
for split in train:40 test:20; do
  mkdir -p all/${split%:*} && tar xf "$demo/${split%:*}/${split%:*}-0.tar" -C all/${split%:*} || fail "the demo's images"
  for class in all/${split%:*}/*; do
    mkdir -p "images/${split%:*}/${class##*/}"
    ls "$class" | head -n ${split#*:} | while read -r image; do mv "$class/$image" "images/${split%:*}/${class##*/}/"; done
  done
done
tar cJf images.tar.xz images || fail "tar"
python3 "$stand_in" official || fail "stand_in.py"

"$pack" --moco=official --images=images.tar.xz --out=kit --commit=0123 >said 2>&1 || fail "pack: $(cat said)"
cat said
"$pack" --moco=official --images=none.tar --out=kit >said 2>&1 && fail "packed without images"
grep -q '^error: --images=none.tar' said || fail "$(cat said)"
mkdir other && "$pack" --moco=official --images=images.tar.xz --out=other >said 2>&1 && fail "another folder was replaced"

# There: no Bazel, and nothing of this tree but the kit.
PYTHONPATH=$("$python" -c 'import os; print(os.environ["PYTHONPATH"])')
export PYTHONPATH MOCOPP_DEVICE=cpu MOCOPP_KIT_WORK=$PWD/work OUT=$PWD/results
unset RUNFILES_DIR TEST_SRCDIR

# field PYTHON: a value of the results, r.
field() { python3 -c 'import json, sys; r = json.load(open("results/gpu.json")); print(eval(sys.argv[1]))' "$1"; }

kit/run.sh check >said 2>&1 || fail "check: $(cat said)"
cat said
[[ $(field 'sum(item["ok"] is True for item in r["check"]["items"].values())') == 10 ]] || fail "not 10 checks are right"
[[ $(field 'len(r["check"]["operations"]) > 30') == True ]] || fail "operations are missing"
[[ $(field '"0123" == r["kit"]["commit"]') == True ]] || fail "the commit is missing"

# A check that fails is said, and the next call tries it again.
python3 - <<'E2'
import json, pathlib
kept = next(pathlib.Path("work").glob("*_cpu/gpu.json"))
results = json.loads(kept.read_text())
results["check"]["items"]["lincls"]["ok"] = False
kept.write_text(json.dumps(results))
E2
rm -r work/*_cpu/runs/fp32/checkpoints
kit/run.sh check >said 2>&1 && fail "a classifier without a checkpoint is right"
grep -q '^| lincls | \*\*wrong\*\* | lincls/lincls ended with 2 ' said || fail "$(cat said)"

kit/run.sh speed >said 2>&1 || fail "speed: $(cat said)"
cat said
[[ $(field 'sorted({key.split(" beside ")[-1] for key in r["speed"]["done"] if " beside " in key})') == \
  "['compiled', 'official', 'tuned']" ]] || fail "not all references: $(cat said)"
[[ $(field 'max(row.get("gate", 0) for row in r["speed"]["done"].values()) < 1e-9') == True ]] || fail "no gate"
[[ $(field '"lincls" in r["check"]["items"]') == True ]] || fail "the results of check are gone"

kit/run.sh demo --seconds=22 >said 2>&1 # stopped after two seconds, or over
kit/run.sh demo >said 2>&1 || fail "demo: $(cat said)"
cat said
[[ $(field '[row["published"] for row in r["demo"]["epochs"]]') == "[31.5, 32.5, 33.5]" ]] || fail "$(cat results/gpu.json)"
[[ $(field 'all(0 <= row["knn"] <= 100 for row in r["demo"]["epochs"])') == True ]] || fail "no kNN"

python3 "$page" results/gpu.json | grep -q 'No GPU has run' || fail "figures of a CPU would be published"
echo PASSED
