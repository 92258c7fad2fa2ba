#!/bin/bash
# The linear classifier's program as a person meets it: what it does with bad input, and a run that is
# stopped and goes on.
set -u

readonly LINCLS="$TEST_SRCDIR/mocopp/lincls/lincls"
readonly UNTRAINED="$TEST_SRCDIR/mocopp/lincls/untrained_checkpoint"
readonly DEMO="$TEST_SRCDIR/mocopp/data/demo"
readonly WORK="$TEST_TMPDIR/work"
readonly SPEC='resnet_small:width=8,blocks=1,stages=2'
readonly VIEWS='resize:size=16|center_crop:size=16|to_tensor|normalize'

failures=0
fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# expect_error CODE TEXT ARGUMENT...: the program ends with CODE and one line on stderr that has TEXT.
expect_error() {
  local code=$1 text=$2
  shift 2
  "$LINCLS" "$@" >"$WORK/stdout" 2>"$WORK/stderr"
  local got=$?
  [[ $got == "$code" ]] || fail "lincls $*: exit code $got, not $code"
  [[ $(wc -l <"$WORK/stderr") == 1 ]] || fail "lincls $*: not one line on stderr: $(cat "$WORK/stderr")"
  grep -qF -- "$text" "$WORK/stderr" || fail "lincls $*: no '$text' in: $(cat "$WORK/stderr")"
  ! grep -qE 'frame #|terminate|Aborted' "$WORK/stdout" "$WORK/stderr" || fail "lincls $*: a stack trace"
}

# stop SIGNAL RUN ARGUMENT...: starts a run and sends it SIGNAL after its first step; its exit code is
# in $code.
stop() {
  local signal=$1 run=$2
  shift 2
  set -m # without job control what runs in the background ignores SIGINT
  "$LINCLS" --run-dir="$run" "$@" >"$WORK/stdout" 2>"$WORK/stderr" &
  local pid=$!
  set +m
  until [[ -s $run/metrics.jsonl ]]; do
    kill -0 $pid 2>/dev/null || break # it has ended; $code tells
    sleep 0.05
  done
  kill -"$signal" $pid
  wait $pid
  code=$?
}

# The metrics of a run without what depends on the machine's speed.
timeless() {
  sed -E 's/"(images_per_second|waiting)":[^,}]*//g' "$1/metrics.jsonl"
}

rm -rf "$WORK"
mkdir -p "$WORK/empty" "$WORK/photos/train" "$WORK/photos/val" "$WORK/data"
cd "$WORK" || exit 1
"$UNTRAINED" "$SPEC" "$VIEWS" encoder.pth.tar 0 || exit 1
ENCODER="--pretrained=$WORK/encoder.pth.tar"

# Two classes of 100 images for validation, and 20 of each for training.
for part in train val; do
  tar -xf "$DEMO/test/test-0.tar" -C data
  mkdir -p data/$part
  mv data/cat data/ship data/$part/
  find data -mindepth 1 -maxdepth 1 ! -name train ! -name val -exec rm -r {} +
done
for class in cat ship; do
  find data/train/$class -name '*.jpg' | sort | tail -n +21 | xargs rm
done

# --- Which encoder ---
expect_error 2 'bazel run //moco:pretrain'
expect_error 2 "$WORK/none.pth.tar" --pretrained=none.pth.tar
expect_error 2 "'$WORK/empty'" --pretrained=empty
echo 'not a checkpoint' >text.pth.tar
expect_error 2 "$WORK/text.pth.tar" --pretrained=text.pth.tar
head -c 5000 encoder.pth.tar >cut.pth.tar
expect_error 3 "$WORK/cut.pth.tar" --pretrained=cut.pth.tar
expect_error 2 "holds a backbone 'resnet_small" $ENCODER --arch=resnet18

# --- Which images ---
expect_error 2 "$WORK/nowhere" --data=nowhere $ENCODER
expect_error 2 "$WORK/empty/train" empty $ENCODER
cp data/val/cat/*.jpg photos/train/
expect_error 2 'has no label' photos $ENCODER
rm photos/train/*.jpg
cp -r data/train/cat photos/train/
cp -r data/val/cat photos/val/
expect_error 2 "the class 'cat'" photos $ENCODER
cp -r data/train/ship photos/train/
cp -r data/val/ship photos/val/frog
expect_error 2 "class 'ship'" photos $ENCODER
expect_error 2 '--batch-size to 1 to 40' data $ENCODER --batch-size=41
expect_error 2 "argument 'more'" data more $ENCODER

# --- Values ---
expect_error 2 'did you mean --epochs' --epohcs=3
expect_error 2 '--lr is nan' data $ENCODER --lr nan
expect_error 2 '--momentum' data $ENCODER --momentum=2
expect_error 2 '--epochs' data $ENCODER --epochs=0
expect_error 2 "'60 x'" data $ENCODER -b 8 --schedule='60 x'
expect_error 2 'give --views' data $ENCODER -b 8 --eval-views='center_crop:size=16|to_tensor'
expect_error 2 'give --resume' data $ENCODER --evaluate
expect_error 2 "$WORK/empty/checkpoints" data $ENCODER --resume=empty
[[ ! -e runs ]] || fail "a refused run has left a folder"

# --- During the run ---
COMMON="data $ENCODER -b 8 --lr=1 --schedule=3 --threads=1 --workers=2"
expect_error 5 'no checkpoint follows' $COMMON --lr=1e6 --wd=1e6 --epochs=3 --run-dir=diverged
[[ -z $(ls diverged/checkpoints) ]] || fail "a checkpoint was written after the loss had become NaN"
expect_error 2 'cannot' $COMMON --epochs=1 --run-dir="$WORK/text.pth.tar/run"
mkdir -p busy
exec 9>busy/lock
flock 9
expect_error 4 'another run' $COMMON --epochs=1 --run-dir=busy
exec 9>&-

cp -r data damaged
victim=$(find damaged/train/cat -name '*.jpg' | sort | head -1)
head -c 300 "$victim" >cut.jpg && mv cut.jpg "$victim"
echo text >damaged/val/ship/text.jpg
BAD="damaged $ENCODER -b 8 --epochs=1 --threads=1"
"$LINCLS" $BAD --run-dir=bad >stdout 2>stderr || fail "damaged images have stopped a run: $(cat stderr)"
[[ $(wc -l <bad/bad_images.txt) == 2 ]] || fail "not listed: $(cat bad/bad_images.txt)"
expect_error 3 'raise --max-bad-images' $BAD --max-bad-images=0

# --- The report, with what the classifier says of each validation image ---
"$LINCLS" $COMMON --epochs=2 --run-dir=reported >stdout 2>stderr || fail "a run: $(cat stderr)"
grep -q "^report  *$WORK/reported/report.html" stdout || fail "not said: $(cat stdout)"
[[ $(wc -l <reported/predictions.csv) == 201 ]] || fail "predictions: $(wc -l reported/predictions.csv)"
best=$(grep -o '^best  *Acc@1 [0-9.]*' stdout | grep -o '[0-9.]*$')
right=$(awk -F, '$2 == $3' reported/predictions.csv | wc -l)
[[ $(awk "BEGIN { printf \"%.1f\", $right / 2 }") == "$best" ]] || fail "$right of 200 are right, but Acc@1 is $best %"
for text in 'Confusion matrix' 'cat taken for ship' '95 % interval' 'Best and worst classes' 'data:image/'; do
  grep -qF -- "$text" reported/report.html || fail "no '$text' in the report"
done
"$LINCLS" $COMMON --epochs=1 --report=false --run-dir=unreported >stdout 2>stderr || fail "a run: $(cat stderr)"
[[ ! -e unreported/report.html ]] || fail "--report=false has written a report"

# --- A run that is stopped goes on as one that was not ---
LONG="$COMMON --epochs=200"
"$LINCLS" $LONG --run-dir=whole >whole.out 2>stderr || fail "a run: $(cat stderr)"
grep -q "tensors are bit-equal to those of $WORK/encoder.pth.tar" whole.out ||
  fail "the encoder was not compared: $(tail -3 whole.out)"
grep -q 'epoch 200/200 .*Acc@1 .*Acc@5' whole.out || fail "no accuracy: $(tail -3 whole.out)"
for signal in TERM INT; do
  run=stopped_$signal
  stop $signal $run $LONG
  [[ $signal == TERM ]] && want=143 || want=130
  [[ $code == "$want" ]] || fail "SIG$signal: exit code $code, not $want: $(cat stderr)"
  grep -qF -- "bazel run //lincls:lincls -- --resume=$WORK/$run" stderr ||
    fail "no word of how to go on: $(cat stderr)"
  expect_error 4 "--resume=$WORK/$run" $LONG --run-dir=$run
  "$LINCLS" --resume=$run >stdout 2>stderr || fail "--resume=$run: $(cat stderr)"
  grep -q '^resumed .* step ' stdout || fail "$run was not resumed: $(cat stdout)"
  for file in checkpoint model_best; do
    cmp whole/checkpoints/$file.pth.tar $run/checkpoints/$file.pth.tar || fail "$run: $file differs"
  done
  diff <(timeless whole) <(timeless $run) || fail "$run: other metrics"
  cmp whole/predictions.csv $run/predictions.csv || fail "$run: other predictions"
done
cp whole/checkpoints/checkpoint.pth.tar done.pth.tar
"$LINCLS" --resume=whole >stdout 2>stderr || fail "a run that is done: $(cat stderr)"
grep -q 'all steps are done; raise --epochs' stdout || fail "a run that is done: $(cat stdout)"
cmp done.pth.tar whole/checkpoints/checkpoint.pth.tar || fail "a run that is done has changed"
cp -r whole cut_run
truncate -s 3000 cut_run/checkpoints/checkpoint.pth.tar
"$LINCLS" --resume=cut_run >stdout 2>stderr || fail "a damaged checkpoint: $(cat stderr)"
grep -q '^warning: .*renamed to .*checkpoint.pth.tar.damaged' stdout || fail "not said: $(cat stdout)"
cmp done.pth.tar cut_run/checkpoints/checkpoint.pth.tar || fail "from the best one it ends elsewhere"
expect_error 2 '--force=REASON' --resume=whole --epochs=201 --views="random_resized_crop:size=16|to_tensor|normalize"
images=(data/val/cat/*.jpg)
mv "${images[0]}" data/val/cat/other.jpg
expect_error 2 'other validation images' --resume=whole --epochs=201
mv data/val/cat/other.jpg "${images[0]}"
expect_error 2 '--seed=' --resume=whole --epochs=201 --seed=1
"$UNTRAINED" "$SPEC" "$VIEWS" other.pth.tar 7 || exit 1
expect_error 2 'another encoder' --resume=whole --epochs=201 --pretrained=other.pth.tar
expect_error 2 'was trained on the classes cat/ship' photos --resume=whole --evaluate

# --- In bf16: other losses, and a setting of the run ---
"$LINCLS" $COMMON --epochs=2 --precision=bf16 --force-bf16 --run-dir=in_bf16 >stdout 2>stderr || fail "bf16: $(cat stderr)"
! cmp -s <(timeless reported) <(timeless in_bf16) || fail "--precision=bf16 has the losses of fp32"
expect_error 2 '--precision=' --resume=in_bf16 --epochs=3 --precision=fp32

# --- The best classifier, validated again ---
"$LINCLS" --evaluate --resume=whole >stdout 2>stderr || fail "--evaluate: $(cat stderr)"
best=$(grep -o '^best  *Acc@1 [0-9.]*' whole.out | grep -o '[0-9.]*$')
grep -qF "Acc@1 $best %" stdout || fail "--evaluate does not find the best, $best: $(cat stdout)"

# --- Fine-tuning, with part of the labels: stopped and gone on with, too ---
expect_error 2 '--label-fraction' data $ENCODER --label-fraction=0
# The last batch has one image, whose last feature map has one pixel: no statistics can be taken of it.
expect_error 2 'choose another --batch-size' data $ENCODER --finetune --batch-size=39 --run-dir=one-value \
  --eval-views='resize:size=2|center_crop:size=2|to_tensor|normalize'
TUNE="$COMMON --finetune --lr=0.05 --label-fraction=0.5 --epochs=15"
"$LINCLS" $TUNE --run-dir=tuned >tuned.out 2>stderr || fail "fine-tuning: $(cat stderr)"
grep -q '^data  *20 training and 200 validation images' tuned.out || fail "not half: $(cat tuned.out)"
! grep -q 'bit-equal' tuned.out || fail "a fine-tuned encoder is said to be frozen"
stop TERM tuned_stopped $TUNE
[[ $code == 143 ]] || fail "fine-tuning stopped: exit code $code: $(cat stderr)"
"$LINCLS" --resume=tuned_stopped >stdout 2>stderr || fail "--resume=tuned_stopped: $(cat stderr)"
cmp tuned/checkpoints/checkpoint.pth.tar tuned_stopped/checkpoints/checkpoint.pth.tar ||
  fail "fine-tuning resumed: the checkpoint differs"
diff <(timeless tuned) <(timeless tuned_stopped) || fail "fine-tuning resumed: other metrics"
"$LINCLS" --evaluate --resume=tuned >stdout 2>stderr || fail "--evaluate of a tuned one: $(cat stderr)"
best=$(grep -o '^best  *Acc@1 [0-9.]*' tuned.out | grep -o '[0-9.]*$')
grep -qF "Acc@1 $best %" stdout || fail "--evaluate does not find the tuned best, $best: $(cat stdout)"
expect_error 2 '--finetune=' --resume=tuned --epochs=16 --nofinetune

[[ $failures == 0 ]] && echo PASSED
exit $((failures > 0))
