#!/bin/bash
# Images of five channels and 12 bits in 16, as a microscope writes them, through all programs.
programs=$PWD
. tests/end_to_end/lib.sh
usage=2 damage=3

# tiffs FOLDER SEED N KIND: N images of 16 x 16 pixels in two classes: stripes that lie or stand, in two of the channels,
# under noise. KIND: uint16, or float32 from -1 to 1.
tiffs() {
  python3 - "$@" <<'PYTHON'
import pathlib, random, struct, sys
folder, rng, n, kind = sys.argv[1], random.Random(int(sys.argv[2])), int(sys.argv[3]), sys.argv[4]
def tiff(values):
    code, bits, sample = ("H", 16, 1) if kind == "uint16" else ("f", 32, 3)
    pixels = struct.pack(f"<{len(values)}{code}", *values)
    after = 8 + len(pixels) + len(pixels) % 2
    extra = [(258, [bits] * 5), (338, [0] * 4), (339, [sample] * 5)]
    tags = {256: 16, 257: 16, 259: 1, 262: 1, 273: 8, 277: 5, 278: 16, 279: len(pixels)}
    many = after + 2 + 12 * (len(tags) + len(extra)) + 4
    entries, tail = {tag: struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items()}, b""
    for tag, values in extra:
        entries[tag] = struct.pack("<HHII", tag, 3, len(values), many + len(tail))
        tail += struct.pack(f"<{len(values)}H", *values)
    directory = struct.pack("<H", len(entries)) + b"".join(entries[tag] for tag in sorted(entries)) + b"\0\0\0\0"
    return struct.pack("<2sHI", b"II", 42, after) + pixels.ljust(after - 8, b"\0") + directory + tail
for i in range(n):
    label, phase, values = i % 2, rng.randrange(4), []
    for y in range(16):
        for x in range(16):
            stripe = ((y, x)[label] + phase) // 2 % 2
            levels = [rng.random() * 0.4 + 0.4 * stripe * (c in (1, 4)) + 0.04 * c for c in range(5)]
            values += [int(4095 * v) for v in levels] if kind == "uint16" else [2 * v - 1 for v in levels]
    path = pathlib.Path(folder, ("lying", "standing")[label], f"{i:03}.tif")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tiff(values))
PYTHON
}
tiffs cells/train 1 128 uint16 && tiffs cells/val 2 64 uint16 && tiffs floats/train 3 32 float32 || fail "cannot write the images"

five=(-a resnet_small:width=8,blocks=1,stages=2,channels=5 --image-size=12 --threads=1 --workers=1 --moco-dim=16 --moco-k=64
      --batch-size=32)
views='random_resized_crop:size=12|intensity|flip|vertical_flip|rotate90|channel_drop:p=0.1|to_tensor|normalize:mean=0.5,std=0.5'

# --- At full scale, a note says that the upper bits are never used, and gives the flag ---
"$pretrain" cells "${five[@]}" --epochs=1 --run-dir=dark > out || fail "pretrain at full scale: $(cat out)"
grep -q "^note .*16 bits.*--range=0:4095" out || fail "no note on the upper bits: $(cat out)"

# --- With the flag, from pretraining to the selection of labels ---
"$pretrain" cells "${five[@]}" --range=0:4095 --mlp --epochs=2 --views="$views" --run-dir=run > out || fail "pretrain: $(cat out)"
! grep -q "^note .*--range" out || fail "a note on --range although it is given: $(cat out)"
"$lincls" cells --pretrained=run --epochs=4 --lr=1 --batch-size=32 --threads=1 --run-dir=linear > out || fail "lincls: $(cat out)"
best=$(sed -n 's/^best .*Acc@1 \([0-9.]*\) %.*/\1/p' out)
# Guessing has 50 %.
awk "BEGIN { exit !($best > 75) }" || fail "lying and standing stripes are distinguished in $best % of the images"
grep -q "^--range=0:4095$" linear/flags.txt || fail "lincls does not take the range of the checkpoint"
"$programs/lincls/features" cells/train/lying --pretrained=run --threads=1 --out=features > out || fail "features: $(cat out)"
grep -q '"range": "0:4095"' features/features.json || fail "features.json: $(cat features/features.json)"
"$programs/tools/select_labels" features --budget=10 --duplicates=1 --out=labels.csv --page=labels.html > out || fail "select_labels: $(cat out)"
# An image that cannot be shown is a crossed-out square, the same for each: two different pictures would be left.
(( $(grep -o 'data:image/jpeg;base64,[^"]*' labels.html | sort -u | wc -l) >= 5 )) ||
  fail "the page of select_labels does not show the images of five channels"
"$programs/tools/export" run/checkpoints/checkpoint_0001.pth.tar --to=onnx --out=cells.onnx --verify --images=cells/val/lying > out || fail "export: $(cat out)"

# --- What is found by itself is kept ---
"$pretrain" cells "${five[@]}" --range=auto --epochs=1 --run-dir=auto > out || fail "--range=auto: $(cat out)"
grep -q "^--range=[0-9.]*:[0-9.]*$" auto/flags.txt || fail "what --range=auto found is not kept: $(grep range auto/flags.txt)"
refused $usage "range" "$pretrain" cells "${five[@]}" --range=0:1000 --epochs=2 --resume=auto
"$pretrain" cells "${five[@]}" --range=auto-channels --epochs=1 --run-dir=channels > out || fail "auto-channels: $(cat out)"
grep -q "^next: .*lincls -- [^D]*cells .*--pretrained=" out || fail "the next command does not name the data: $(cat out)"
grep -q "^--range=\([0-9.]*:[0-9.]*,\)\{4\}[0-9.]*:[0-9.]*$" channels/flags.txt || fail "$(grep range channels/flags.txt)"

# --- Float values have no full scale ---
refused $damage "--range" "$pretrain" floats "${five[@]}" --epochs=1 --run-dir=no
"$pretrain" floats "${five[@]}" --range=-1:1 --epochs=1 --run-dir=float > out || fail "float values: $(cat out)"

# --- Refused before the first batch ---
refused $damage "has 5 channels, not 3; .*channels=5" "$pretrain" cells -a resnet_small --epochs=1 --run-dir=no
refused $usage "--range is '9:1'" "$pretrain" cells "${five[@]}" --range=9:1 --run-dir=no
refused $usage "--range has 3 pairs for 5 channels" "$pretrain" cells "${five[@]}" --range=0:1,0:1,0:1 --run-dir=no
refused $usage "'color_jitter'.*3 channels" "$pretrain" cells "${five[@]}" --run-dir=no \
  --views='random_resized_crop:size=12|color_jitter|to_tensor'
echo PASSED
