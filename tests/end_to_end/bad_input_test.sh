#!/bin/bash
# What a person, a file or a disk can get wrong: one line that says what, where and the remedy, the documented
# exit code (docs/errors.md), and nothing lost.
. tests/end_to_end/lib.sh

usage=2 damaged=3 unavailable=4 not_finite=5
unpack data 16
run() { "$pretrain" "${small[@]}" "$@"; }

# --- Folders ---
refused $usage "absent.*No such file" run absent --run-dir=no
mkdir empty texts
refused $usage "'.*empty' holds no images" run empty --run-dir=no
echo hello > texts/readme.md
refused $usage "'.*texts' holds no images" run texts --run-dir=no
refused $usage "texts/readme.md.* is not a folder.*.csv.*.pack.*.tar" run texts/readme.md --run-dir=no
refused $usage "a batch of 500 cannot be filled from 160 images; set --batch-size to 1 to 160" \
  run data/train --batch-size=500 --run-dir=no

# --- Flags ---
refused $usage "unknown flag --batch-sise; did you mean --batch-size?" run data --batch-sise=3
refused $usage "lr.* is nan, must be" run data/train --lr nan
refused $usage "moco-m is 1.5, must be 0 to 1" run data/train --moco-m=1.5
refused $usage "moco-t\|temperature.*must be above 0" run data/train --moco-t=0
refused $usage "epochs is '2.5', must be a whole number" run data/train --epochs=2.5
refused $usage "unknown backbone 'resnet19'; did you mean 'resnet18'?" run data/train -a resnet19
refused $usage "unknown option of resnet18 'stemm'; did you mean 'stem'?" run data/train -a resnet18:stemm=cifar
refused $usage "argument 'more'" run data/train more
refused $usage "is empty" run ""
refused $usage "epochs is .*, must be 1 to " run data/train --epochs=9000000000000000000
refused $usage "lr requires a value" run data/train --lr --cos
echo "--lr=0.0x3" > broken.txt
refused $usage "flagfile '.*broken.txt': --lr is '0.0x3', must be a number" run data/train --flagfile=broken.txt
refused $usage "precision is 'fp16', must be fp32, fp64 or bf16" run data/train --precision=fp16
refused $usage "--lr requires a value" run data/train --lr
refused $usage "knn-every .*labelled images" run data/train --knn-every=1
[ ! -e no ] && [ ! -e runs ] || fail "a refused run left a folder"

# --- Images ---
good=$(ls data/train/cat/*.jpg | head -n 1)
mkdir mixed
for image in data/train/*/*.jpg; do cp "$image" "mixed/$(echo "$image" | tr / _)"; done
head -c 500 "$good" > mixed/cut.jpg
: > mixed/nothing.png
echo "not an image" > mixed/text.jpg
printf '\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff\xff\0\0\xff\xff\x08\x02\0\0\0\x39\x67\x4e\x07\0\0\0\x04IDAT' > mixed/gigantic.png
cp "$good" mixed/really_a_jpeg.png
mkfifo mixed/pipe.png
run mixed --run-dir=mixed_run --max-bad-images=5 --epochs=3 > out 2>&1 || fail "damaged images stopped a run: $(cat out)"
[ "$(cut -f1 mixed_run/bad_images.txt | sed 's,.*/,,' | sort | tr '\n' ' ')" = \
  "cut.jpg gigantic.png nothing.png pipe.png text.jpg " ] || fail "listed: $(cat mixed_run/bad_images.txt)"
grep -q "gigantic.png' is 65535 x 65535 pixels.*--max-megapixels" mixed_run/bad_images.txt || fail "$(cat mixed_run/bad_images.txt)"
refused $damaged "images cannot be read.*raise --max-bad-images" \
  run mixed --run-dir=strict --max-bad-images=1 --epochs=3

mkdir both && cp "$good" both/ && cp "$demo/test/test-0.tar" both/
refused $usage "both.* looks like flat_folder and like tar.*--dataset" run both

# --- Photographs whose files are odd, but whole ---
exif='\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0' # turn by 90 degrees
mkdir phones
for image in data/train/*/*.jpg; do
  odd=phones/$(echo "$image" | tr / _)
  case $(($(ls phones | wc -l) % 4)) in
    0) head -c -2 "$image" > "$odd" ;;                                           # no end mark
    1) { cat "$image" && head -c 4096 /dev/zero; } > "$odd" ;;                   # zeros behind it
    2) { cat "$image" && echo a trailer; } > "$odd" ;;                           # or other data
    3) { head -c 2 "$image" && printf "$exif" && tail -c +3 "$image"; } > "$odd" ;;
  esac
done
run phones --run-dir=phones_run --max-bad-images=0 --epochs=1 > out 2>&1 || fail "odd photographs stopped a run: $(cat out)"
refused $usage "exif.*'ignore'.*'apply'.*--force" run phones --resume=phones_run --exif=apply --epochs=2
run phones --resume=phones_run --exif=apply --epochs=2 --force=upright > out 2>&1 || fail "--force: $(cat out)"
refused $usage "exif is 'turn', must be ignore or apply" run phones --exif=turn --run-dir=no
refused $usage "max-megapixels is 0, must be" run phones --max-megapixels=0 --run-dir=no

# --- A run goes on with its own images, wherever they are, not with as many others. ---
mkdir moved && cp -r phones moved/
run moved/phones --resume=phones_run --exif=apply --epochs=3 > out 2>&1 || fail "moved images: $(cat out)"
for image in phones/*; do mv "$image" "phones/new_${image##*/}"; done
refused $usage "other training images.*--force=REASON" run phones --resume=phones_run --exif=apply --epochs=4
run phones --resume=phones_run --exif=apply --epochs=4 --force=renamed > out 2>&1 || fail "--force: $(cat out)"

# --- Archives ---
head -c 100000 "$demo/test/test-0.tar" > cut.tar
refused $damaged "cut.tar' is damaged at byte .* cut" run cut.tar
{ head -c 51200 "$demo/test/test-0.tar"; head -c 3000 /dev/urandom; tail -c +54273 "$demo/test/test-0.tar"; } > changed.tar
refused $damaged "changed.tar' is damaged at byte" run changed.tar
echo "no archive" > text.tar
refused $damaged "text.tar' is damaged at byte 0: it is not a tar archive" run text.tar

# --- Checkpoints ---
run data/train --run-dir=whole > /dev/null || fail "whole"
checkpoint=whole/checkpoints/checkpoint_0001.pth.tar
head -c 20000 $checkpoint > cut.pth.tar
refused $damaged "cut.pth.tar' is damaged" run data/train --epochs=9 --resume=cut.pth.tar
refused $usage "text.tar' is not a checkpoint" run data/train --epochs=9 --resume=text.tar
refused $usage "gone.pth.tar': No such file" run data/train --epochs=9 --resume=gone.pth.tar
refused $usage "--arch=" \
  run data/train --epochs=9 --resume=$checkpoint -a resnet_small:width=16,blocks=1,stages=2
refused $usage "empty' has no checkpoint of pretraining" run data/train --resume=empty
refused $usage "--force=REASON" \
  run data/train --epochs=9 --resume=$checkpoint --views="$eval_views"
refused $usage "both name the run's folder" run data/train --run-dir=no --checkpoint-dir=no
refused $usage "nothing is left to do; raise --epochs" run data/train --resume=$checkpoint

# --- Run folders ---
refused $unavailable "cannot make folder '/sys/run" run data/train --run-dir=/sys/run
refused $unavailable "checkpoints of an earlier run.*--resume" run data/train --run-dir=whole
# A second run in a folder that is in use.
run data/train --epochs=500 --checkpoint-every=500 --run-dir=busy > /dev/null &
until [ -e busy/metrics.jsonl ]; do sleep 0.05; done
refused $unavailable "another run.*'.*busy'" run data/train --run-dir=busy
kill -KILL $!
wait $! 2> /dev/null

# --- A full disk, as a limit on the size of files: the run goes on and says so. ---
( trap '' XFSZ; ulimit -f 16; run data/train --epochs=3 --run-dir=full > full.out 2> full.err )
got=$?
[ $got -eq $unavailable ] || fail "exit code $got with a full disk: $(cat full.out full.err)"
[ "$(grep -c 'warning: the checkpoint' full.out)" -eq 3 ] || fail "$(cat full.out)"
[ -z "$(ls full/checkpoints)" ] || fail "half a checkpoint: $(ls full/checkpoints)"

# --- A loss that is not finite ---
refused $not_finite "the loss is nan\|the loss is inf.*lower --lr" run data/train --lr=1e6 --epochs=20 --run-dir=diverged \
  --moco-t=0.0001
echo PASSED
