#!/bin/bash
# Features as a person makes them: of the demo without a flag, of own images with all of them; what a stop,
# damaged images and other settings do; and what is refused.
features=$PWD/lincls/features
. tests/end_to_end/lib.sh

# number FILE OFFSET BYTES TYPE: a number in a file, such as f4 (float32) or u1.
number() { od -A n -j "$2" -N "$3" -t "$4" "$1" | tr -d ' '; }

# bigendian FILE OFFSET: a 4-byte number of a PNG's header.
bigendian() { od -A n -j "$2" -N 4 -t u1 "$1" | awk '{ print (($1 * 256 + $2) * 256 + $3) * 256 + $4 }'; }

# shape FILE: rows and columns, as the header of a .npy file says.
shape() { head -c 128 "$1" | grep -ao "'shape': ([0-9, ]*)" | tr -dc '0-9,'; }

# same A B: both folders hold the same files, to the bit.
same() { diff -r --exclude=projector "$1" "$2" > same.out || fail "$1 and $2 differ: $(cat same.out)"; }

refused 2 "make one with: bazel run //moco:pretrain" "$features"
"$pretrain" "${small[@]}" --epochs=1 > out || fail "pretrain: $(cat out)"
checkpoint=$(echo "$PWD"/runs/*/checkpoints/checkpoint_0000.pth.tar)

# --- The demo, without a flag ---
"$features" > out || fail "$(cat out)"
made=$(dirname "$checkpoint")/../features/pretraining
grep -q "^features of 5000 images are in .*/features/pretraining" out || fail "$(cat out)"
[ "$(shape "$made/backbone.npy")" = 5000,16 ] || fail "shape $(shape "$made/backbone.npy")"
[ "$(stat -c %s "$made/backbone.npy")" -eq $((128 + 5000 * 16 * 4)) ] || fail "size of backbone.npy"
[ "$(wc -l < "$made/images.csv")" -eq 5001 ] || fail "lines of images.csv"
[ "$(head -n 1 "$made/images.csv")" = file,label ] || fail "$(head -n 1 "$made/images.csv")"
sed -n 2p "$made/images.csv" | grep -q '^train-0.tar:airplane/.*,0$' || fail "$(sed -n 2p "$made/images.csv")"
grep -q '"finished": true' "$made/features.json" || fail "$(cat "$made/features.json")"
cp -r "$made" copy
"$features" > out || fail "once more: $(cat out)"
same "$made" copy

# --- Own images, with all of them ---
unpack own 15
cp -r own/train own/val
all=(own --split=training --pretrained="$checkpoint" --features=all --columns=moco_loss,disagreement,alignment
     --batch-size=16 --threads=1)
"$features" "${all[@]}" --out=single > out || fail "$(cat out)"
for matrix in backbone,16 head,16 stage1,8 stage2,16; do
  [ "$(shape "single/${matrix%,*}.npy")" = "150,${matrix#*,}" ] || fail "$matrix: $(shape "single/${matrix%,*}.npy")"
done
cmp single/backbone.npy single/stage2.npy || fail "the last stage is not the backbone"
[ "$(head -n 1 single/images.csv)" = file,label,moco_loss,disagreement,alignment ] || fail "$(head -n 1 single/images.csv)"
# Of 1 + K keys the own one is found better than by chance, and worse than by a network that has learnt.
awk -F, 'NR > 1 { d = $5 - 2 * $4; if (!($3 > 0 && $3 < 9 && $4 > 0 && $4 < 2 && d * d < 1e-8)) exit 1; loss += $3 }
         END { if (NR != 151 || loss / 150 < 1) exit 1 }' single/images.csv || fail "$(head single/images.csv)"
"$features" "${all[@]}" --out=half --dtype=float16 > out || fail "$(cat out)"
[ "$(stat -c %s half/head.npy)" -eq $((128 + 150 * 16 * 2)) ] || fail "size of float16"
cmp single/images.csv half/images.csv || fail "the list depends on the dtype"
"$features" "${all[@]}" --out=threads --workers=0 > out || fail "$(cat out)"
same single threads

# The linear classifier has the same encoder, without its head.
"$lincls" own --pretrained="$checkpoint" --epochs=1 --threads=1 --batch-size=32 --run-dir=own-lincls > out ||
  fail "lincls: $(cat out)"
classifier=own-lincls/checkpoints/model_best.pth.tar
"$features" own --split=training --pretrained=$classifier --batch-size=16 --threads=1 > out || fail "$(cat out)"
cmp single/backbone.npy own-lincls/features/training/backbone.npy || fail "of the classifier's encoder"
refused 2 "$classifier' holds a linear classifier" \
  "$features" own --pretrained=$classifier --features=head --out=none
refused 2 "no head" \
  "$features" own --pretrained=$classifier --columns=moco_loss --out=none

# --- Stopped, it goes on by the same command, to the same bits ---
slow=(--pretrained="$checkpoint" --features=all --columns=disagreement,moco_loss --augmented-views=16 --threads=1)
"$features" "${slow[@]}" --out=whole > out || fail "$(cat out)"
images_done() { sed -n 's/.*"done": \([0-9]*\),/\1/p' stopped/features.json; }
bytes() { stat -c %s stopped/stage1.npy 2>/dev/null || echo 0; }
# stop SIGNAL MORE: starts it in the folder stopped and sends SIGNAL once it has written MORE bytes, synced or not.
stop() {
  local until_bytes=$(($(bytes) + $2))
  set -m # without job control what runs in the background ignores SIGINT
  "$features" "${slow[@]}" --out=stopped > stopped.out 2> stopped.err &
  local pid=$!
  set +m
  until [ "$(bytes)" -ge $until_bytes ]; do
    kill -0 $pid 2>/dev/null || break # it has ended; $code tells
    sleep 0.02
  done
  kill -"$1" $pid 2>/dev/null
  wait $pid
  code=$?
}
stop KILL 200 # behind the header
[ "$code" -eq 137 ] || fail "it ended with $code, before it could be killed: $(cat stopped.out stopped.err)"
stop TERM 8000
[ "$code" -eq 143 ] || fail "SIGTERM: it ended with $code: $(cat stopped.out stopped.err)"
grep -q "^error: .* after $(images_done) of 5000 images" stopped.err || fail "$(cat stopped.err)"
before=$(images_done)
[ "$before" -gt 0 ] && [ "$before" -lt 5000 ] || fail "$before images were done"
stop KILL 8000
[ "$code" -eq 137 ] || fail "it ended with $code, before it could be killed: $(cat stopped.out stopped.err)"
grep -q "^resumed  after $before images" stopped.out || fail "not after $before: $(cat stopped.out)"
refused 4 "another run" flock stopped/lock "$features" "${slow[@]}" --out=stopped
refused 2 "'batch_size' is 250, .*100" \
  "$features" "${slow[@]}" --out=stopped --batch-size=100
"$features" "${slow[@]}" --out=stopped > out || fail "$(cat out)"
same whole stopped

# --- Damaged images are left out, and listed ---
victim=$(ls own/train/cat/* | head -n 3 | tail -n 1)
head -c 300 "$victim" > cut && cp cut "$victim"
echo text > own/train/ship/text.jpg
refused 3 "raise --max-bad-images" "$features" "${all[@]}" --out=damaged --max-bad-images=1
"$features" "${all[@]}" --out=damaged > out || fail "$(cat out)"
[ "$(shape damaged/head.npy)" = 149,16 ] && [ "$(wc -l < damaged/images.csv)" -eq 150 ] || fail "rows of damaged"
cut -f1 damaged/bad_images.txt | sort > listed
printf '%s\n' "$PWD/$victim" "$PWD/own/train/ship/text.jpg" | cmp - listed || fail "$(cat damaged/bad_images.txt)"
grep -q "^bad image 2: " out || fail "not said: $(cat out)"
grep -v "^${victim#own/train/}," single/images.csv | cut -d, -f1,2 | cmp - <(cut -d, -f1,2 damaged/images.csv) ||
  fail "another image is missing"

# --- For TensorBoard ---
"$features" own --split=validation --pretrained="$checkpoint" --out=shown --projector=20 > out || fail "$(cat out)"
grep -q " 20 of .*tensorboard --logdir $PWD/shown/projector" out || fail "$(cat out)"
[ "$(wc -l < shown/projector/tensors.tsv)" -eq 20 ] || fail "lines of tensors.tsv"
[ "$(head -n 1 shown/projector/metadata.tsv)" = $'file\tclass' ] || fail "$(head -n 1 shown/projector/metadata.tsv)"
[ "$(wc -l < shown/projector/metadata.tsv)" -eq 21 ] || fail "lines of metadata.tsv"
grep -c $'^cat/.*\tcat$' shown/projector/metadata.tsv > /dev/null || fail "$(cat shown/projector/metadata.tsv)"
# A row of both: the first one that is shown, among the features.
name=$(sed -n 2p shown/projector/metadata.tsv | cut -f1)
row=$(($(grep -n "^$name," shown/images.csv | cut -d: -f1) - 2))
value=$(number shown/backbone.npy $((128 + row * 16 * 4)) 4 f4)
awk -v a="$value" -v b="$(head -n 1 shown/projector/tensors.tsv | cut -f1)" \
  'BEGIN { d = a - b; exit !(d * d <= 1e-10 * a * a) }' || fail "tensors.tsv is not of its image"
cp shown/projector/tensors.tsv seed_0.tsv
"$features" own --split=validation --pretrained="$checkpoint" --out=shown --projector=20 --seed=1 > out || fail "$(cat out)"
! cmp -s shown/projector/tensors.tsv seed_0.tsv || fail "another seed shows the same images"
tile=$(sed -n 's/.*single_image_dim: //p' shown/projector/projector_config.pbtxt | head -n 1)
[ "$(bigendian shown/projector/sprite.png 16)" -eq $((5 * tile)) ] || fail "the sprite's width"
[ "$(bigendian shown/projector/sprite.png 20)" -eq $((4 * tile)) ] || fail "the sprite's height"

# --- Refused, and nothing left behind ---
for update in c r; do tar -${update}f twice.tar -C own/train/cat "$(ls own/train/cat | head -n 1)"; done
to_none=(--pretrained="$checkpoint" --out=none)
refused 2 "is image 0 and image 1; name each image once" "$features" twice.tar "${to_none[@]}"
refused 2 "did you mean 'head'" "$features" "${to_none[@]}" --features=haed
refused 2 "with 2 stages; leave 'stage3' out" "$features" "${to_none[@]}" --features=stage3
refused 2 "did you mean 'disagreement'" "$features" "${to_none[@]}" --columns=disagreements
refused 2 "must be float32 or float16" "$features" "${to_none[@]}" --dtype=bfloat16
refused 2 "augmented-views" "$features" "${to_none[@]}" --augmented-views=1
refused 2 "must be cpu or cuda" "$features" "${to_none[@]}" --device=gpu
refused 2 "split is 'test'" "$features" "${to_none[@]}" --split=test
refused 2 "to_tensor" "$features" "${to_none[@]}" --eval-views=flip
refused 2 "argument 'more'" "$features" own more "${to_none[@]}"
refused 2 "nowhere" "$features" nowhere "${to_none[@]}"
refused 2 "holds a backbone 'resnet_small" "$features" "${to_none[@]}" --arch=resnet18
[ ! -e none ] || fail "a refused program has left a folder"
mkdir theirs && touch theirs/backbone.npy
refused 4 "theirs' has 'backbone.npy', but no features.json" "$features" --pretrained="$checkpoint" --out=theirs
echo PASSED
