#!/usr/bin/env bash
# pack on the demo's images; the doctor says what is in the packed files.
set -euo pipefail

pack=$PWD/tools/pack doctor=$PWD/tools/doctor/main demo=$PWD/data/demo
cd "$TEST_TMPDIR"

fail() {
  echo "FAILED: $*"
  exit 1
}

# What numpy says of the 1,000 images of test/, as Pillow decodes them.
expected='pixels   normalize:mean=0.4966 0.4872 0.4506,std=0.2447 0.2422 0.2605'
doctor() {
  "$doctor" "$@" > out || fail "doctor $*: $(cat out)"
}

"$pack" "$demo" files.pack --split=validation > out
grep -q "1000 images of $demo/test (tar) are in $PWD/files.pack" out || fail "$(cat out)"
"$pack" "$demo" pixels.pack --split=validation --decoded > out
[ "$(stat -c %s pixels.pack)" -gt 3072000 ] || fail "no pixels: $(stat -c %s pixels.pack)"
for file in files.pack pixels.pack; do
  doctor $file
  grep -qx "$expected" out || fail "$file: $(cat out)"
done

"$pack" "$demo" files.pack --split=test 2> err && fail "an unknown split"
grep -q "^error: --split is 'test', must be pretraining, training or validation" err || fail "$(cat err)"
echo PASSED
