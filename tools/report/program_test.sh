#!/usr/bin/env bash
# The report's page of runs that are whole, unfinished and old, and everything that can be wrong.
set -euo pipefail

report=$PWD/tools/report/main
cd "$TEST_TMPDIR"

fail() {
  echo "FAILED: $*"
  exit 1
}
# run FOLDER: a run of two steps, of which there will be four.
run() {
  mkdir -p "$1"
  cat >"$1/metrics.jsonl" <<'JSON'
{"epoch":0,"loss":6.5,"lr":0.03,"pairs_per_second":300,"step":1,"top1":0.1,"top5":0.2,"waiting":0.4}
{"knn":0.25,"step":0}
{"epoch":0,"loss":6.25,"lr":0.03,"pairs_per_second":300,"step":2,"top1":0.1,"top5":0.2,"waiting":0.4}
{"dimensions":5,"epoch":0,"epoch_loss":6.4,"epoch_top1":0.1,"leak":0.3,"loss_of_chance":0.9,"queue_age":0.1,"queue_filled":1,"spread":0.5,"step":2}
{"knn":0.35,"step":2}
JSON
  printf -- '--data=/nowhere/images\n--lr=0.03\n--moco-k=1024\n--epochs=2\n' >"$1/flags.txt"
  echo '{"program": "//moco:pretrain", "preset": "moco_v2", "steps": 4, "steps_per_epoch": 2,
    "usual": {"lr": "0.06", "moco-k": "1024"}, "settings": {"views": "flip|to_tensor", "data": "7 images"}}' \
    >"$1/settings.json"
  printf 'a/1.jpg\tcannot decode a/1.jpg: <cut>\n' >"$1/bad_images.txt"
  echo '{"cpu": "a CPU", "cores": 2}' >"$1/environment.json"
}
# refused CODE TEXT ARGUMENTS...: one line with TEXT, that exit code, and no page.
refused() {
  local code=$1 text=$2 got=0
  shift 2
  "$report" "$@" --out=refused.html >out 2>err || got=$?
  [ $got -eq "$code" ] || fail "$*: exit $got, not $code: $(cat err)"
  [ "$(wc -l <err)" -eq 1 ] || fail "$*: $(cat err)"
  grep -qF -- "$text" err || fail "$*: not '$text': $(cat err)"
  [ ! -e refused.html ] || fail "$*: wrote a page"
  [ -z "$(find . -name '*.part-*')" ] || fail "$*: left a part"
}
has() {  # has FILE TEXT...
  local file=$1 text
  shift
  for text in "$@"; do grep -qF -- "$text" "$file" || fail "no '$text' in $file"; done
}

# --- A run that has not ended, and whose images are gone ---
run runs/a
"$report" runs/a --out=a.html >out || fail "$(cat out)"
has out "$PWD/a.html"
has a.html "leaking" "--bn-splits" "step 2 of 4 (50 %)" "kNN accuracy is 35.0 % in epoch 1, 25.0 % before training" \
  "--workers" "<b><code>--lr</code></b>" "<code>--moco-k</code>" "the preset moco_v2" "/nowhere/images" \
  "There are no pictures" "cannot decode a/1.jpg: &#60;cut&#62;" "a CPU" \
  "bazel run //moco:pretrain -- --resume=$PWD/runs/a" "--flagfile=$PWD/runs/a/flags.txt"
grep -q 'src="http\|href="http' a.html && fail "the page asks for a network"

# --- Written while a line is being written, and by other versions ---
run runs/cut
printf '{"epoch":1,"loss":6.2,"st' >>runs/cut/metrics.jsonl
"$report" runs/cut --out=cut.html >out || fail "$(cat out)"
has cut.html "is cut, and was ignored"
run runs/new
echo '{"step":3,"epoch":1,"loss":null,"new_number":1.5,"new_text":"hello"}' >>runs/new/metrics.jsonl
"$report" runs/new --out=new.html >out || fail "$(cat out)"
has new.html new_number
run runs/old
rm runs/old/settings.json runs/old/environment.json
"$report" runs/old --out=old.html >out || fail "$(cat out)"
has old.html "step 2 of 4" "There are no pictures"

# --- Of lincls and sweep, and several together ---
mkdir -p runs/l runs/s
echo '{"step":10,"epoch":0,"validation_acc1":0.5,"validation_acc5":0.9,"validation_loss":1.5,"best_acc1":0.5}' \
  >runs/l/metrics.jsonl
printf -- '--data=/nowhere\n--pretrained=x.pth.tar\n--epochs=1\n' >runs/l/flags.txt
cat >runs/s/sweep.csv <<'CSV'
features,lr,weight_decay,best_epoch,best_acc1,best_acc5,best_loss,last_acc1,last_acc5,last_loss,diverged_epoch
backbone,0.1,0,5,0.41,0.8,1.7,0.4,0.8,1.8,
backbone,1,0,4,0.43,0.81,1.6,0.42,0.8,1.7,
backbone,10,0,,,,,,,,3
CSV
"$report" runs/* --out=all.html >out || fail "$(cat out)"
has all.html "Report of 6 runs" "validated" "swept" "43.0 % with features backbone, lr 1, weight_decay 0" "leaking"
"$report" runs/l --out=l.html >out || fail "$(cat out)"
has l.html "Validation Acc@1 is 50.0 %" "The run has ended" "There is no confusion matrix"

# --- What classifiers say of each class ---
cp -r runs/l runs/l2
for run in l l2 s; do
  printf '%s\n' file,label,predicted,probability 1.png,cat,cat,0.9 2.png,cat,dog,0.8 3.png,dog,dog,0.7 \
    >runs/$run/predictions.csv
done
"$report" runs/l --out=classes.html >out || fail "$(cat out)"
has classes.html "Confusion matrix" "cat taken for dog: 1 of 2 (50.0 %)" "95 % interval" "There are no pictures"
"$report" runs/l runs/l2 runs/s --out=compared.html >out || fail "$(cat out)"
has compared.html "Accuracy of each class" "of 3 runs" "cat taken for dog"
printf 'file,label,predicted,probability\n1.png,cat\n' >runs/l2/predictions.csv
"$report" runs/l2 --out=damaged_predictions.html >out || fail "$(cat out)"
has damaged_predictions.html "predictions.csv&#39; line 2" "Validation Acc@1"

# --- A sweep that goes on, and whose last line is cut ---
mkdir runs/going
echo '{"program": "//lincls:sweep", "steps": 30, "steps_per_epoch": 10, "arguments": ["/a b/train", "/val"]}' \
  >runs/going/settings.json
echo '--lr=1' >runs/going/flags.txt
refused 3 "has not done its first epoch" runs/going
printf '%s\n' features,lr,weight_decay,epoch,acc1,acc5,loss backbone,1,0,1,0.4,0.8,2 backbone,10,0,1,0.3,0.8,2 \
  backbone,1,0,2,0.5,0.9,1.9 >runs/going/epochs.csv
printf 'backbone,10,0,2,0.4' >>runs/going/epochs.csv
"$report" runs/going --out=going.html >out || fail "$(cat out)"
has going.html "has not ended: it is at step 20 of 30" "The best of 2 classifiers so far has an Acc@1 of 50.0 %" \
  "is cut, and was ignored" "&#39;/a b/train&#39; /val --flagfile="
sed -i 's/^backbone,1,0,2.*/backbone,1,0,2,nan,0.9,1.9/; $a\' runs/going/epochs.csv
refused 3 "epochs.csv' line 4" runs/going

# --- Names that could be HTML ---
run "runs/<img src=x onerror=alert(1)>"
"$report" "runs/<img src=x onerror=alert(1)>" --out=evil.html >out || fail "$(cat out)"
grep -q '<img src=x' evil.html && fail "a name is HTML"

# --- What is wrong ---
refused 2 "missing argument"
refused 2 "'$PWD/nowhere' does not exist" nowhere
refused 2 "not the folder of a run" out
mkdir empty
refused 2 "not the folder of a run" empty
run bare
rm bare/metrics.jsonl
refused 3 "no metrics" bare
: >bare/metrics.jsonl
refused 3 "no metrics" bare
run damaged
sed -i '2s/.*/{"knn":0.25,/' damaged/metrics.jsonl
refused 3 "metrics.jsonl' line 2" damaged
run stepless
echo '{"loss":3}' >>stepless/metrics.jsonl
refused 3 "line 6 has no step" stepless
run negative
echo '{"loss":3,"step":-1}' >>negative/metrics.jsonl
refused 3 "line 6" negative
refused 3 "line 2" runs/a damaged
mkdir rowless
echo features,lr >rowless/sweep.csv
refused 3 "sweep.csv" rowless
refused 2 "--features" runs/a --features-before=x
refused 2 "nofeatures" runs/a --features=nofeatures
: >there.html
code=0
"$report" runs/a --out=there.html >out 2>err || code=$?
[ $code -eq 4 ] && [ ! -s there.html ] || fail "an existing page: code $code, $(cat err)"
code=0
"$report" runs/a --out=nowhere/page.html >out 2>err || code=$?
[ $code -eq 2 ] || fail "no folder for the page: code $code, $(cat err)"
echo PASSED
