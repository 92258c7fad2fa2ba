#!/bin/bash
# Grey images into a network of one channel, from IDX files, through both programs.
. tests/end_to_end/lib.sh

# idx NAME SEED N: N images of 12 x 12 pixels and their labels: stripes under noise, as bright in one class as in the
# other; they lie in one and stand in the other.
idx() {
  python3 - "$@" <<'PYTHON'
import random, struct, sys
name, seed, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
labels = [i % 2 for i in range(n)]
def image(label):
    phase = rng.randrange(4)
    return bytes(rng.randrange(100) + 100 * ((((y, x)[label] + phase) // 2) % 2) for y in range(12) for x in range(12))
pixels = b"".join(image(label) for label in labels)
open(f"{name}-images-idx3-ubyte", "wb").write(struct.pack(">4I", 0x803, n, 12, 12) + pixels)
open(f"{name}-labels-idx1-ubyte", "wb").write(struct.pack(">2I", 0x801, n) + bytes(labels))
PYTHON
}
mkdir grey && (cd grey && idx train 1 128 && idx t10k 2 64) || fail "cannot write the data"

grey=(-a resnet_small:width=8,blocks=1,stages=2,channels=1 --threads=1 --workers=1)
"$pretrain" grey "${grey[@]}" --aug-plus --mlp --moco-dim=16 --moco-k=64 --epochs=1 --batch-size=32 --run-dir=run > out ||
  fail "pretrain: $(cat out)"
grep -q "^data .*128 images, .*grey (idx)" out || fail "what it reads: $(cat out)"
grep -q "^views .*random_resized_crop:size=12.*|gaussian_blur.*|normalize:mean=0.5,std=0.5" out || fail "views: $(cat out)"
grep -q "color_jitter\|grayscale" out && fail "colours: $(cat out)"
"$lincls" grey --pretrained=run --epochs=2 --lr=1 --batch-size=32 --threads=1 --run-dir=linear > out ||
  fail "lincls: $(cat out)"
best=$(sed -n 's/^best .*Acc@1 \([0-9.]*\) %.*/\1/p' out)
awk "BEGIN { exit !($best > 90) }" || fail "lying and standing stripes are distinguished in $best % of the images"

refused 2 "step 2 of the views, 'grayscale', requires images of 3 channels, but they have 1; leave it out" \
  "$pretrain" grey "${grey[@]}" --batch-size=32 --run-dir=no --views='random_resized_crop:size=12|grayscale|to_tensor'
# The same images in three equal channels for an encoder of colours.
"$pretrain" grey -a resnet_small:width=8,blocks=1,stages=2 --threads=1 --workers=1 --moco-dim=16 --moco-k=64 \
  --epochs=1 --batch-size=32 --run-dir=colour > out || fail "in colour: $(cat out)"
echo PASSED
