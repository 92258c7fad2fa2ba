#!/usr/bin/env bash
# pack and data_stats on the demo's images.
set -euo pipefail

pack=$PWD/tools/pack stats=$PWD/tools/data_stats demo=$PWD/data/demo samples=$PWD/data/testdata/samples
cd "$TEST_TMPDIR"

fail() {
  echo "FAILED: $*"
  exit 1
}

# What numpy says of the 1,000 images of test/, as Pillow decodes them.
expected='normalize:mean=0.4966 0.4872 0.4506,std=0.2447 0.2422 0.2605'
for threads in 1 3; do
  "$stats" "$demo" --split=validation --threads=$threads > out
  grep -q "^1000 images of $demo/test (tar), 1024000 pixels; 0 " out || fail "$(cat out)"
  grep -qx "$expected" out || fail "not $expected: $(cat out)"
done

"$pack" "$demo" files.pack --split=validation > out
grep -q "1000 images of $demo/test (tar) are in $PWD/files.pack" out || fail "$(cat out)"
"$pack" "$demo" pixels.pack --split=validation --decoded > out
[ "$(stat -c %s pixels.pack)" -gt 3072000 ] || fail "no pixels: $(stat -c %s pixels.pack)"
for file in files.pack pixels.pack; do
  "$stats" $file > out
  grep -qx "$expected" out || fail "$file: $(cat out)"
done

# An image that is damaged is counted; one that the memory does not hold ends the program with code 4.
mkdir -p images
cp "$samples/rgb_420.jpg" images/whole.jpg
echo "no image" > images/damaged.jpg
"$stats" images > out
grep -q "^1 images of .*/images (flat_folder), .* pixels; 1 " out || fail "$(cat out)"
mkdir -p large
cp images/whole.jpg large/1.jpg
frame=$(LC_ALL=C grep -obUaP '\xff\xc0' large/1.jpg | head -1 | cut -d: -f1)  # then length, precision, height, width
printf '\x27\x06\x27\x06' | dd of=large/1.jpg bs=1 seek=$((frame + 5)) conv=notrunc status=none  # 9990 x 9990
limit=100000  # KiB of addresses, the least that are enough for a small image
until (ulimit -v $limit; "$stats" --threads=1 images > out 2>&1); do
  limit=$((limit + 50000))
  [ $limit -lt 10000000 ] || fail "data_stats does not run: $(cat out)"
done
code=0
(ulimit -v $((limit + 100000)); "$stats" --threads=1 large > out 2> err) || code=$?
[ $code = 4 ] || fail "out of memory is code $code: $(cat err)"
grep -q "^error: out of memory.*large/1.jpg" err || fail "$(cat err)"

"$pack" "$demo" files.pack --split=test 2> err && fail "an unknown split"
grep -q "^error: --split is 'test', must be pretraining, training or validation" err || fail "$(cat err)"
"$stats" "$demo/nowhere" 2> err && fail "no data"
grep -q "^error: cannot open data '$demo/nowhere': No such file" err || fail "$(cat err)"
echo PASSED
