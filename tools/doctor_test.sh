#!/usr/bin/env bash
# The doctor's advice is a command line that pretrain takes, and the estimate of its cost works.
set -euo pipefail

doctor=$PWD/tools/doctor pretrain=$PWD/moco/pretrain demo=$PWD/data/demo
cd "$TEST_TMPDIR"

fail() {
  echo "FAILED: $*"
  exit 1
}

# The settings that pretrain makes of the advised flags.
config() {
  local advised
  advised=$(sed -n 's|^run      bazel run //moco:pretrain -- ||p' out)
  [ -n "$advised" ] || fail "no advice: $(cat out)"
  eval "\"$pretrain\" $advised --print-config" > config || fail "pretrain refuses $advised"
}

# The demo's images have 32 pixels; all of them are looked at, and a few steps are tried.
"$doctor" "$demo" --trial=0.1 --page=page.html --duplicates-list=duplicates.csv > out || fail "$(cat out)"
grep -q "^data     5,000 images for pretraining and training, $demo/train (tar)" out || fail "$(cat out)"
grep -q "^data     1,000 images for validation, $demo/test (tar)" out || fail "$(cat out)"
grep -q "^sizes    all 32 x 32 pixels" out || fail "$(cat out)"
grep -q "^memory   about .* of the machine's " out || fail "$(cat out)"
grep -q "^disk     200 checkpoints of " out || fail "$(cat out)"
grep -q "^time     about .* for 200 epochs of 19 steps" out || fail "$(cat out)"
grep -q "base64," page.html || fail "no pictures"
[ -s duplicates.csv ] || fail "no list"
config
for flag in arch=resnet18:.*stem=cifar batch_size=256 bn_splits=8 moco_k=512 moco_m=0.99; do
  grep -q "^--$flag" config || fail "not $flag: $(cat config)"
done

# What the user has decided stays.
"$doctor" "$demo" --sample=100 --trial=0 -a resnet34 -b 96 --image-size=64 --moco-k=960 --epochs=7 > out || fail "$(cat out)"
grep -q "^looked   at 100 images" out || fail "$(cat out)"
grep -q "^time" out && fail "nothing was tried: $(cat out)"
config
for flag in arch=resnet34 batch_size=96 moco_k=960 epochs=7; do
  grep -q "^--$flag" config || fail "not $flag: $(cat config)"
done
grep -q "^--views=.*size=64" config || fail "not 64 pixels: $(cat config)"

code=0
"$doctor" "$demo" -a resnet19 --sample=10 > out 2> err || code=$?
[ $code = 2 ] || fail "an unknown backbone is code $code"
grep -q "resnet19" err || fail "$(cat err)"
code=0
"$doctor" "$demo/nowhere" > out 2> err || code=$?
[ $code = 2 ] || fail "no data is code $code"
grep -q "^error: .*$demo/nowhere" err || fail "$(cat err)"
echo PASSED
