#!/bin/bash
# The linear classifier, frozen and fine-tuned, under the launcher: ranks are killed at random moments, the launcher
# restarts them, and the run ends with the bytes of an unbroken one.
. tests/dist/lib.sh
lincls_with_faults=${pretrain_ddp%/dist/*}/tests/dist/lincls_with_faults

RANDOM=${SEED:=$RANDOM} # the same again by --test_env=SEED=N
echo "SEED=$SEED"
unpack data 32
mv data/train images && mkdir -p data/train data/val
for class in images/*; do # 100 images for training, 50 for validation
  mkdir -p data/{train,val}/"${class##*/}"
  mv $(ls -d "$class"/* | head -n 10) data/train/"${class##*/}"
  mv $(ls -d "$class"/* | head -n 5) data/val/"${class##*/}"
done
"$pretrain" data/train "${small[@]}" --epochs=1 --run-dir=encoder > out || fail "$(cat out)"

# killed.sh: the classifier, which a rank's word in $KILLS, ATTEMPT:RANK:IMAGE, kills when it loads that image.
cat > killed.sh << END
#!/bin/bash
for kill in \${KILLS-}; do
  [[ \$kill == "\$TORCHELASTIC_RESTART_COUNT:\$RANK:"* ]] && export POISON=kill:\${kill##*:}
done
exec $lincls_with_faults "\$@"
END
chmod +x killed.sh

# 50 images an epoch on each of two ranks.
views="random_resized_crop:size=16|flip|to_tensor|normalize|poison"
classify() {
  "$launch" --program=./killed.sh --nproc=2 --max-restarts=2 -- data --pretrained=encoder --epochs=6 --batch-size=33 \
    --lr=0.3 --threads=1 --workers=1 --print-freq=1 --views="$views" "${gloo[@]}" "$@" > out 2> err || fail "lincls $*: $(cat out err)"
}
for mode in frozen finetune; do
  flags=()
  [ $mode == finetune ] && flags=(--finetune --lr=0.01)
  classify "${flags[@]}" --run-dir=$mode
  KILLS="0:1:$((60 + RANDOM % 140)) 1:0:$((10 + RANDOM % 80))"
  echo "$mode: $KILLS"
  KILLS=$KILLS classify "${flags[@]}" --run-dir=${mode}_killed
  [ "$(grep -c '^warning: rank [01] was killed by signal 9' err)" -eq 2 ] || fail "not restarted twice: $(cat err)"
  for file in checkpoint model_best; do
    cmp {$mode,${mode}_killed}/checkpoints/$file.pth.tar || fail "$mode: another $file after $KILLS"
  done
  diff <(timeless $mode) <(timeless ${mode}_killed) || fail "$mode: other metrics after $KILLS"
done
echo PASSED
