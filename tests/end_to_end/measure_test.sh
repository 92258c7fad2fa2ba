#!/bin/bash
# What is measured with an encoder's features: the monitor's kNN and linear probe in pretraining, the same kNN
# from features on the disk, and a sweep's classifier in lincls.
features=$PWD/lincls/features knn=$PWD/lincls/knn sweep=$PWD/lincls/sweep
. tests/end_to_end/lib.sh

unpack data 40
mkdir data/val
for class in data/train/*; do
  mkdir "data/val/${class##*/}"
  for image in $(ls "$class" | tail -n 15); do mv "$class/$image" "data/val/${class##*/}/"; done
done

# last NAME RUN: the last value of that name among the run's metrics.
last() { grep -o "\"$1\":[^,}]*" "$2/metrics.jsonl" | tail -n 1 | cut -d: -f2; }
# holds CONDITION: of numbers.
holds() { awk "BEGIN { exit !($1) }"; }

refused 2 '--probe .*--knn-every' "$pretrain" data "${small[@]}" --probe
monitored=("${small[@]}" --knn-every=1 --knn-k=5)
"$pretrain" data "${monitored[@]}" --run-dir=plain > plain.out || fail "pretrain: $(cat plain.out)"
"$pretrain" data "${monitored[@]}" --probe --run-dir=run > out || fail "pretrain with --probe: $(cat out)"

# The probe sees the encoder, and the encoder does not see the probe: to the last bit.
for checkpoint in plain/checkpoints/*; do
  cmp "$checkpoint" "run/checkpoints/${checkpoint##*/}" || fail "--probe has changed $checkpoint"
done
[ "$(ls plain/checkpoints | wc -l)" -eq 2 ] || fail "which checkpoints: $(ls plain/checkpoints)"
diff <(timeless plain) <(timeless run | sed -E 's/"probe":[^,}]*,//') || fail "--probe has changed other metrics"
[ "$(grep -c '"probe":' run/metrics.jsonl)" -eq 3 ] || fail "an evaluation at the start and one each epoch"
grep -q '^monitor  kNN [0-9.]* %  probe [0-9.]* % with the untrained encoder' out || fail "at the start: $(cat out)"
[ "$(grep -c '^epoch ./2 .*kNN [0-9.]* %  probe [0-9.]* %$' out)" -eq 2 ] || fail "after each epoch: $(cat out)"
grep -q '^ *linear probe, %' out || fail "at the end: $(cat out)"
head -n 1 run/metrics.csv | grep -q ',knn,probe,rankme_backbone,rankme_head,lidar_backbone,' || fail "metrics.csv: $(head -n 1 run/metrics.csv)"
grep -q probe run/events.out.tfevents.* || fail "nothing for TensorBoard"
holds "$(last probe run) > 0.15" || fail "chance is 10 %, the probe is at $(last probe run)"

# Without labels: at the start and at the end of so short a run, on the images of val/; with any data.
measured() { grep -c '"rankme_backbone":.*"uniformity_head":' "$1/metrics.jsonl"; }
[ "$(measured run)" -eq 2 ] || fail "measures without labels: $(cat run/metrics.jsonl)"
grep -q '^monitor  measures without labels on 150 of 150 held-out images' out || fail "on which images: $(cat out)"
grep -q '^ *RankMe [0-9.]* (head [0-9.]*), LiDAR ' out || fail "after the last epoch: $(cat out)"
for name in rankme_backbone lidar_head uniformity_head; do
  grep -q $name run/events.out.tfevents.* || fail "no $name for TensorBoard"
done
"$pretrain" data/train "${small[@]}" --monitor-every=1 --monitor-images=40 --run-dir=unlabelled > out || fail "$(cat out)"
grep -q '^monitor  measures without labels on 40 of 250 training images, every epoch' out || fail "$(cat out)"
[ "$(measured unlabelled)" -eq 3 ] || fail "measures: $(cat unlabelled/metrics.jsonl)"
"$pretrain" data "${small[@]}" --monitor-every=0 --run-dir=off > out || fail "$(cat out)"
[ "$(measured off)" -eq 0 ] || fail "--monitor-every=0: $(cat off/metrics.jsonl)"
cmp off/checkpoints/checkpoint_0001.pth.tar run/checkpoints/checkpoint_0001.pth.tar || fail "the monitor has changed the run"
# The keys differ, and the backbone's features collapse: the verdict is told what RankMe has found.
unpack whole 40
"$pretrain" whole/train "${small[@]}" --monitor-every=1 --weight-decay=2 --run-dir=fallen > out || fail "$(cat out)"
grep -q 'spread 0\.[1-9].*collapsed: .*before training.*--weight-decay' out || fail "no verdict by RankMe: $(cat out)"
refused 2 '--monitor-images' "$pretrain" data "${small[@]}" --monitor-images=1

# From features on the disk: the monitor's number.
for split in training validation; do
  "$features" data --pretrained=run --split=$split --features=stage1,backbone --out=$split --threads=1 > out || fail "features: $(cat out)"
done
"$knn" training validation --k='1 5' --t='0.1 1' --out=knn.csv > knn.out || fail "knn: $(cat knn.out)"
found=$(sed -n 's/^5,0.1,//p' knn.csv)
holds "$found == $(last knn run)" || fail "the monitor's kNN is $(last knn run), that of the features $found"

# Neighbours as a picture: 2 rows of 1 + 4 images of 96 pixels and a gap of 24.
name=$(sed -n 2p validation/images.csv | cut -d, -f1)
"$knn" training validation --neighbours="$name,$name" --nearest=4 --sheet=sheet.png > out || fail "sheet: $(cat out)"
[ "$(grep -c '^  *[0-9.]*  ' out)" -eq 8 ] || fail "neighbours: $(cat out)"
[ "$(od -An -tu1 -j16 -N8 sheet.png | tr -s ' ')" = " 0 0 1 248 0 0 0 192" ] || fail "the picture's size"

# The sweep's best classifier of the backbone is what lincls finds in its checkpoint.
"$sweep" training validation --features=stage1,backbone --lr='1e6 0.1 1 10' --wd='1e3 0' --epochs=8 --schedule=6 --batch-size=50 --threads=1 \
  --run-dir=swept > out || fail "sweep: $(cat out)"
grep -q '^diverged backbone --lr=1e+06 --weight-decay=1000 ' out || fail "not said: $(cat out)"
best=$(sed -n 's/^saved  *Acc@1 \([0-9.]*\) %.*/\1/p' out)
holds "$best > 15" || fail "chance is 10 %, the best is at $best: $(cat out)"
next=$(sed -n 's/^next: *bazel run \/\/lincls:lincls -- //p' out)
[ "$next" = "$PWD/data --evaluate --resume=$PWD/swept/checkpoints/model_best.pth.tar" ] || fail "next: $next"
"$lincls" $next --threads=1 > evaluated || fail "lincls: $(cat evaluated)"
grep -q '^stage1,0.1,0,' swept/sweep.csv || fail "no other features: $(cat swept/sweep.csv)"
line=$(awk -F, '$1 == "backbone" && $5 > most { most = $5; line = $0 } END { print line }' swept/sweep.csv)
IFS=, read -r _ _ _ _ acc1 acc5 loss _ <<< "$line"
[ "$(awk "BEGIN { printf \"%.2f\", 100 * $acc1 }")" = "$best" ] || fail "the best is $line, saved $best"
expected=$(awk "BEGIN { printf \"loss %.4f  Acc@1 %.1f %%  Acc@5 %.1f %%\", $loss, 100 * $acc1, 100 * $acc5 }")
grep -qF "$expected" evaluated || fail "lincls finds $(cat evaluated), not $expected"
"$lincls" data --pretrained=run --epochs=1 -b 50 --resume=swept/checkpoints/model_best.pth.tar --evaluate > /dev/null ||
  fail "with other flags beside"
echo PASSED
