#!/bin/bash
# pretrain --init: a run that starts from weights of another one, stops, and goes on without that file.
. tests/end_to_end/lib.sh

unpack data 16
"$pretrain" data "${small[@]}" --run-dir=first > out || fail "pretrain: $(cat out)"

# The backbone is the file's, and so is the head where it fits; neither has to be described again.
rest=("${small[@]:1}")  # without --arch
"$pretrain" data "${rest[@]}" --init=first --run-dir=second --seed=1 > out || fail "--init: $(cat out)"
grep -q "^encoder  resnet_small:width=8,blocks=1,stages=2,stem=cifar,channels=3" out || fail "arch: $(cat out)"
grep -q "^init     from .*first/checkpoints/checkpoint_0001.pth.tar: the backbone and the head" out || fail "init: $(cat out)"
# It goes on from where the other was.
"$pretrain" data "${small[@]}" --run-dir=drawn --seed=1 > drawn.out || fail "pretrain: $(cat drawn.out)"
[ "$(losses second | head -n 1)" != "$(losses drawn | head -n 1)" ] || fail "the first loss is that of drawn weights"

# The same run, stopped and continued when the file is gone, ends with the same bytes.
cp -r second whole
rm second/checkpoints/checkpoint_0001.pth.tar
mv first gone
"$pretrain" --resume=second > out || fail "resume: $(cat out)"
cmp second/checkpoints/checkpoint_0001.pth.tar whole/checkpoints/checkpoint_0001.pth.tar || fail "resumed: other weights"
mv gone first
refused 2 "belongs to a run that started from .* weights.*--init" \
  "$pretrain" data "${small[@]}" --init=drawn --seed=1 --epochs=3 --run-dir=again --resume=whole/checkpoints/checkpoint_0000.pth.tar
refused 2 "belongs to a run that started from drawn weights" \
  "$pretrain" data "${small[@]}" --init=first --seed=1 --epochs=3 --run-dir=again --resume=drawn/checkpoints/checkpoint_0000.pth.tar

# Bad input: nothing is begun.
refused 2 "nothing.pth" "$pretrain" data "${small[@]}" --init=nothing.pth --run-dir=no
refused 2 "(--init) holds 'resnet_small:width=8.*does not fit --arch.*give --arch=resnet_small:width=8" \
  "$pretrain" data "${small[@]}" --arch=resnet18 --init=first --run-dir=no
refused 2 "give --init, too" "$pretrain" data "${small[@]}" --weights=ema --run-dir=no
refused 2 "must be ema or raw" "$pretrain" data "${small[@]}" --init=first --weights=mean --run-dir=no
[ ! -e no ] || fail "a refused run left a folder"

# Into images of other channels.
"$pretrain" data "${small[@]}" --arch=resnet_small:width=8,blocks=1,stages=2,channels=4 --init=first --epochs=1 --run-dir=four \
  --views='random_resized_crop:size=16,scale_min=0.2|flip|to_tensor|normalize:mean=0.5,std=0.5' \
  --eval-views='resize:size=16|center_crop:size=16|to_tensor|normalize:mean=0.5,std=0.5' > out || fail "four channels: $(cat out)"
grep -q "3 channels repeated and scaled for 4" out || fail "channels: $(cat out)"

# --- Fewer images at once: micro-batches as one likes, another batch with --force at an epoch's beginning ---
"$pretrain" data "${small[@]}" --accumulate=2 --epochs=3 --run-dir=micro --resume=drawn/checkpoints/checkpoint_0001.pth.tar \
  --seed=1 > out || fail "--accumulate: $(cat out)"
grep -q "accumulate 1 -> 2" out || fail "what has changed: $(cat out)"
refused 2 "--batch-size='64', this run has '32'.*--force=REASON" \
  "$pretrain" data "${small[@]}" --batch-size=32 --epochs=3 --seed=1 --run-dir=half --resume=drawn/checkpoints/checkpoint_0001.pth.tar
"$pretrain" data "${small[@]}" --batch-size=32 --epochs=3 --seed=1 --run-dir=half --force=memory \
  --resume=drawn/checkpoints/checkpoint_0001.pth.tar > out || fail "another batch: $(cat out)"
grep -q "epoch 3, step 0 of 5" out || fail "where it goes on: $(cat out)"
grep -q "batch-size 64 -> 32 (memory)" out || fail "what was forced: $(cat out)"
grep -q "steps per epoch 2 -> 5" out || fail "the steps: $(cat out)"
echo PASSED
