#!/bin/bash
# What the programs say of data before the first batch: what is left out, splits that are elsewhere or unclear, labels
# that leave classes empty, and a queue that is larger than the data.
features=$PWD/lincls/features
. tests/end_to_end/lib.sh

run() { "$pretrain" "${small[@]}" --epochs=1 "$@"; }
classify() {
  "$lincls" "$@" --pretrained=first --epochs=1 --batch-size=16 --threads=1 --workers=1 > out 2>&1 || fail "$* ($(cat out))"
}
said() { grep -q -e "$1" out || fail "no '$1' in: $(cat out)"; }

unpack data 8

# --- A queue that is larger than the data; the advice of the epoch names the same flag. ---
run data/train --batch-size=16 --moco-k=65536 --run-dir=first > out 2>&1 || fail "$(cat out)"
said "^note .*--moco-k=65536 is more than the 80 images.*--moco-k=32"
said "filling: .*lower --moco-k"
run data/train --batch-size=16 --moco-k=32 --run-dir=fitting > out 2>&1 || fail "$(cat out)"
grep -q "moco-k" out && fail "--moco-k=32 suits 80 images: $(cat out)"

# --- A validation set that lacks a class has the numbers of the training set. ---
mkdir -p data/val && cp -r data/train/cat data/train/truck data/val
"$features" data --split=validation --pretrained=first --threads=1 --out=val > out 2>&1 || fail "$(cat out)"
"$features" data --split=training --pretrained=first --threads=1 --out=train > out 2>&1 || fail "$(cat out)"
[ "$(cut -d, -f2 val/images.csv | sort -u | tr '\n' ' ')" = "3 9 label " ] || fail "classes: $(cat val/images.csv)"
diff <(grep '"classes"' -A 11 train/features.json) <(grep '"classes"' -A 11 val/features.json) || fail "other classes"
refused 2 "only the training images have .*'airplane'" "$lincls" data --pretrained=first


# --- A classifier is validated on a part of its classes: all images are right as often as those of two parts together. ---
classify data/train --val=data/train --lr=1 --exif=apply --run-dir=judged
said "^files    training: .jpg 80"
said "^files    validation: .jpg 80"
said "^note .*--exif=ignore.*--exif=apply"
judge() {  # judge DATA: prints the accuracy; the classifier was trained with --exif=apply
  "$lincls" --data="$1" --val="$1" --evaluate --resume=judged --exif=apply --threads=1 > out 2>&1 || fail "$1: $(cat out)"
  sed -n 's/.*Acc@1 \([0-9.]*\) %.*/\1/p' out
}
all=$(judge data/train)
grep -q "^note" out && fail "a note on what is as it should be: $(cat out)"
part=$(judge data/val)
said "^note .*2 of the classifier's 10 classes.*'airplane' and 7 more"
cp -r data/train others && rm -r others/cat others/truck
awk "BEGIN { d = 16 * $part + 64 * $(judge others) - 80 * $all; exit !(d > -8 && d < 8) }" || fail "not $all %: $(cat out)"
"$lincls" --data=data --evaluate --resume=judged --exif=ignore --threads=1 > out 2>&1 || fail "$(cat out)"
said "^note .*--exif=apply.*--exif=ignore"
"$features" data --split=training --pretrained=first --exif=apply --threads=1 --out=turned > out 2>&1 || fail "$(cat out)"
said "^note .*--exif=ignore.*--exif=apply"

# --- Views that are much larger than the images, images that cannot be read ---
cp -r data/train cut && for class in cut/*; do
  for n in 1 2 3 4; do head -c 300 "$(ls "$class"/* | head -n 1)" > "$class/cut$n.jpg"; done
done
"$pretrain" cut --arch=resnet_small:width=8,blocks=1,stages=2 --image-size=64 --batch-size=8 --bn-splits=2 --moco-k=16 \
  --epochs=1 --threads=1 --workers=1 --run-dir=larger > out 2>&1 || fail "$(cat out)"
said "^note .*of 16 images.*cannot be read: .*cut..jpg"
said "^note .*64 pixels.*32 pixels.*--image-size"

# --- Shards of two splits in one folder, with labels that begin with 1, and masks ---
mkdir shards
shard() {  # shard NAME CLASSES...: of the first two images of each class, numbered from 1
  mkdir files
  local class=0 n=0 name=$1
  shift
  for folder in "$@"; do
    class=$((class + 1))
    for image in $(ls "data/train/$folder" | head -n 2); do
      n=$((n + 1))
      cp "data/train/$folder/$image" "files/img.v1.$n.jpg"
      cp "data/train/$folder/$image" "files/img.v1.$n.seg.jpg"
      echo "tensor($class)" > "files/img.v1.$n.cls"
    done
  done
  tar cf "shards/$name.tar" --sort=name -C files . && rm -r files
}
shard images-train-000 cat dog ship truck frog
shard images-train-001 cat dog ship truck frog
shard images-validation-000 cat dog ship truck frog
classify shards --run-dir=of_shards
said "20 training and 10 validation images in 6 classes"
said "^note .*20 further images of samples (seg.jpg).*--image-key"
said "^note .*1 of 6 classes have no image: '0'.*from 0"
classify 'shards/images-train-{000..001}.tar' --val=shards/images-validation-000.tar --image-key=seg.jpg --run-dir=two
said "20 training and 10 validation images in 6 classes"
grep -q "further images" out && fail "--image-key says which: $(cat out)"

# --- Labels that are no classes: pretraining does not use them. ---
mkdir words && for n in $(seq 64); do cp "$(ls data/train/cat/* | head -n 1)" words/$n.jpg; echo cat > words/$n.cls; done
tar cf words.tar --sort=name -C words . && rm -r words
run words.tar --moco-k=64 --run-dir=of_words > out 2>&1 || fail "$(cat out)"
refused 2 "words.tar:1.cls' holds 'cat'" "$lincls" words.tar --val=words.tar --pretrained=first

# --- A class may be called as a split is. ---
mkdir -p vehicles/bus vehicles/train && cp data/train/truck/* vehicles/bus && cp data/train/ship/* vehicles/train
refused 2 "vehicles/train' and also 'bus'.*--data.*--dataset=image_folder:splits=false" run vehicles
run vehicles --dataset=image_folder:splits=false --batch-size=16 --moco-k=16 --run-dir=both > out 2>&1 || fail "$(cat out)"
said "16 images"
echo PASSED
