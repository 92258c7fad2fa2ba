#!/usr/bin/env bash
# pretrain, lincls and features know the plugins: a short run of each on images of the new format.
set -euo pipefail

pretrain=$PWD/$1 lincls=$PWD/$2 features=$PWD/$3
cd "$TEST_TMPDIR"

fail() {
  echo "FAILED: $*"
  exit 1
}

# 16 x 16 pixels of noise: 16 images of each of two classes.
for class in a b; do
  for split in train val; do
    mkdir -p data/$split/$class
    for i in {1..16}; do
      { printf 'farbfeld\0\0\0\020\0\0\0\020' && head -c 2048 /dev/urandom; } > data/$split/$class/$i.ff
    done
  done
done

"$pretrain" data -a tiny_conv:width=8 --loss=pairwise --image-size=16 --batch-size=16 --bn-splits=2 --moco-k=32 \
  --epochs=2 --threads=1 --workers=1 --run-dir=run > out || fail "pretrain: $(cat out)"
grep -q "pairwise:temperature=0.1" out || fail "another loss: $(cat out)"
"$lincls" data --pretrained=run --epochs=1 --batch-size=16 --threads=1 --workers=1 --run-dir=linear > out ||
  fail "lincls: $(cat out)"
grep -q "tiny_conv:width=8,layers=3" out || fail "another backbone: $(cat out)"
"$features" data --pretrained=run --threads=1 --workers=1 --out=features > out || fail "features: $(cat out)"
[ -s features/backbone.npy ] || fail "no features: $(ls features)"
[ "$("$pretrain" --plugins | grep -cE '^(backbone tiny_conv|loss pairwise|codec farbfeld):')" -eq 3 ] ||
  fail "--plugins does not list the plugins: $("$pretrain" --plugins)"
echo PASSED
