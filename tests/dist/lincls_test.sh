#!/bin/bash
# The linear classifier on 1, 2 and 3 ranks: each image counted once, the same losses and accuracy, on other numbers of
# ranks after a stop, too.
. tests/dist/lib.sh

unpack data 32
mv data/train images && mkdir -p data/train data/val
for class in images/*; do # 10 for training, 20 for validation
  mkdir -p data/{train,val}/"${class##*/}"
  mv $(ls -d "$class"/* | head -n 10) data/train/"${class##*/}"
  mv $(ls -d "$class"/* | head -n 20) data/val/"${class##*/}"
done
rm "$(find data/val -name '*.jpg' | head -n 1)" # 199: neither 2 nor 3 divide it
"$pretrain" data/train "${small[@]}" --epochs=1 --run-dir=encoder > out || fail "$(cat out)"

# 100 images in batches of 33 leave one for the last.
classify() {
  "$launch" --program=lincls --nproc="$1" -- data --pretrained=encoder --batch-size=33 --lr=0.3 --threads=1 --workers=1 \
    --print-freq=1 "${gloo[@]}" "${@:2}" > out 2> err || fail "lincls $*: $(cat out err)"
}
numbers() { grep -o '"\(loss\|validation_[a-z0-9]*\)":[^,}]*' "$1/metrics.jsonl"; }
equal() {
  paste -d: <(numbers one) <(numbers "$1") |
    awk -F: '{ d = $2 - $4; if ($1 != $3 || d > 1e-5 || d < -1e-5) bad = 1 } END { exit bad || NR < 20 }' ||
    fail "$(paste <(numbers one) <(numbers "$1"))"
}
classify 1 --epochs=6 --run-dir=one
for ranks in 2 3; do
  classify $ranks --epochs=6 --run-dir=on$ranks
  equal on$ranks
  diff <(numbers one | grep acc) <(numbers on$ranks | grep acc) || fail "other accuracies on $ranks ranks"
done
classify 3 --epochs=2 --run-dir=moved
classify 1 --resume=moved --epochs=4 --run-dir=moved
grep -q '^note .*ranks 3 -> 1' out || fail "not said: $(cat out)"
classify 2 --resume=moved --epochs=6 --run-dir=moved
equal moved

# Fine-tuning validates with the running statistics of rank 0, which are those that it saves: the accuracy printed is
# that of the checkpoint.
classify 3 --epochs=3 --finetune --lr=0.1 --run-dir=tuned
for checkpoint in checkpoint model_best; do
  "$lincls" data --evaluate --resume=tuned/checkpoints/$checkpoint.pth.tar --threads=1 --workers=1 > out || fail "$(cat out)"
  loss=$(sed -n 's/^validation  loss \([0-9.]*\) .*/\1/p' out)
  grep -o '"validation_loss":[^,}]*' tuned/metrics.jsonl | cut -d: -f2 |
    awk -v loss="$loss" '{ d = $1 - loss; if (d < 6e-5 && d > -6e-5) found = 1 } END { exit !found }' ||
    fail "$checkpoint validates to $loss, printed: $(numbers tuned)"
done
echo PASSED
