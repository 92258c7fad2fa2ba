#!/usr/bin/env bash
# The doctor's advice is a command line that pretrain takes, and says what the run takes.
set -euo pipefail

doctor=$PWD/tools/doctor/main pretrain=$PWD/moco/pretrain demo=$PWD/data/demo
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
has() {  # has FLAG=VALUE...: patterns of the settings
  local flag
  for flag in "$@"; do
    grep -q -- "^--$flag" config || fail "not $flag: $(cat config)"
  done
}

# --- All of the demo's images, of 32 pixels; a few steps of the run are tried ---
"$doctor" "$demo" --page=page.html --duplicates-list=duplicates.csv > out || fail "$(cat out)"
grep -q "^data     5,000 images for pretraining and training, $demo/train (tar)" out || fail "$(cat out)"
grep -q "^data     1,000 images for validation, $demo/test (tar)" out || fail "$(cat out)"
grep -q "^sizes    all 32 x 32 pixels" out || fail "$(cat out)"
grep -q "^memory   about .* of the machine's " out || fail "$(cat out)"
grep -q "^disk     [0-9]* checkpoints of " out || fail "$(cat out)"
grep -q "^time     about .* for 200 epochs of 19 steps" out || fail "$(cat out)"
grep -q "^packed   about .* as files" out || fail "$(cat out)"
grep -q "base64," page.html || fail "no pictures"
[ -s duplicates.csv ] || fail "no list"
config
has 'arch=resnet18:.*stem=cifar' batch-size=256 bn-splits=8 moco-k=512 moco-m=0.99

# --- What the user has decided stays ---
"$doctor" "$demo" --sample=100 --noestimate -a resnet34 -b 96 --image-size=64 --moco-k=960 --epochs=7 > out ||
  fail "$(cat out)"
grep -q "^looked   at 100 images" out || fail "$(cat out)"
grep -q "^time\|^memory" out && fail "nothing was to be tried: $(cat out)"
config
has arch=resnet34 batch-size=96 moco-k=960 epochs=7 'views=.*size=64'

# --- Of channels, turned pictures and other formats, too ---
mkdir grey
for class in cat truck; do
  mkdir grey/$class
  tar -xf "$demo/train/$(ls "$demo/train" | head -n 1)" -C grey/$class
done
find grey -type f | sort | tail -n +301 | xargs rm
"$doctor" grey --channels=1 --noestimate --exif=apply --max-megapixels=7 --pages=images > out || fail "$(cat out)"
config
has 'arch=.*channels=1' exif=apply max-megapixels=7 pages=images

code=0
"$doctor" "$demo" -a resnet19 --sample=10 > out 2> err || code=$?
[ $code = 2 ] || fail "an unknown backbone is code $code: $(cat out err)"
grep -q "resnet19" err || fail "$(cat err)"
code=0
"$doctor" "$demo/nowhere" > out 2> err || code=$?
[ $code = 2 ] || fail "no data is code $code"
grep -q "^error: .*$demo/nowhere" err || fail "$(cat err)"
echo PASSED
