#!/bin/bash
# sweep as a person meets it, on tables that can be seen through: what it says, writes and refuses.
# (tests/end_to_end/measure_test.sh has the classifier that it saves.)
. lincls/features_lib.sh
program=$PWD/lincls/sweep
start

features train 2 '1 0' '2 0' '3 0' '0 1' '0 2' '0 3' '1 1'
list train a.png,0 b.png,0 c.png,0 d.png,1 e.png,1 f.png,1 g.png,
features val 2 '5 0' '0 5' '2 1' '1 2' '3 1' '5 5'
list val 1.png,0 2.png,1 3.png,0 4.png,1 5.png,1 6.png,
COMMON="--batch-size=4 --epochs=20 --schedule=15"

"$program" train.npy val.npy $COMMON --lr='0 1' --wd=0,1e-4 --run-dir=run > out 2> err || fail "sweep: $(cat err)"
grep -q '^train  *6 images, 1 without a label left out' out || fail "$(cat out)"
grep -q '^val  *5 images, 1 without a label left out' out || fail "$(cat out)"
grep -q '^grid .*--lr=0 1 x --weight-decay=0 0.0001 x 1 features: 4 probes of 2 classes' out || fail "$(cat out)"
grep -q '^note .*random crops and flips' out || fail "what it leaves out: $(cat out)"
grep -q '^note .*no classifier .*saved' out || fail "that nothing is saved: $(cat out)"
grep -q '^best  *Acc@1 80.00 % (epoch 1): train --lr=1 --weight-decay=0$' out || fail "best: $(cat out)"
[[ $(grep -c '\*' out) == 1 ]] || fail "one is marked: $(cat out)"
[[ $(ls run/checkpoints 2>/dev/null) == '' ]] || fail "a classifier was saved: $(ls run/checkpoints)"
head -1 run/sweep.csv | grep -qx 'features,lr,weight_decay,best_epoch,best_acc1,best_acc5,best_loss,last_acc1,last_acc5,last_loss,diverged_epoch' ||
  fail "header: $(cat run/sweep.csv)"
[[ $(grep -c '^train,[01],' run/sweep.csv) == 4 ]] || fail "a line for each probe: $(cat run/sweep.csv)"
grep -q '^train,1,0,1,0.80*[0-9]*,1,' run/sweep.csv || fail "the best one's line: $(cat run/sweep.csv)"

# What the report shows: accuracies by epoch, predictions of the best probe in its best epoch, how to do it again.
[[ $(wc -l < run/epochs.csv) == 81 ]] || fail "a line for each probe and epoch: $(wc -l run/epochs.csv)"
grep -q '^train,1,0,1,0.80*[0-9]*,1,' run/epochs.csv || fail "$(head run/epochs.csv)"
[[ $(wc -l < run/predictions.csv) == 6 ]] || fail "$(cat run/predictions.csv)"
[[ $(awk -F, '$2 == $3' run/predictions.csv | wc -l) == 4 ]] || fail "four of five are right: $(cat run/predictions.csv)"
grep -q "^report  *$PWD/run/report.html" out || fail "$(cat out)"
for text in swept 'Confusion matrix' '95 % interval' 'Accuracy of the probes by epoch' \
  "bazel run //lincls:sweep -- $PWD/train.npy $PWD/val.npy --flagfile=$PWD/run/flags.txt" 'There are no pictures'; do
  grep -qF -- "$text" run/report.html || fail "no '$text' in the report"
done
"$program" train.npy val.npy --flagfile=run/flags.txt --run-dir=repeated > /dev/null 2> err || fail "repeated: $(cat err)"
cmp run/sweep.csv repeated/sweep.csv || fail "the command of the report gives another result"
"$program" train.npy val.npy $COMMON --report=false --lr=1 --run-dir=unreported > /dev/null 2> err || fail "$(cat err)"
[[ ! -e unreported/report.html ]] || fail "--report=false has written a report"

# The same command gives the same numbers.
"$program" train.npy val.npy $COMMON --lr='0 1' --wd=0,1e-4 --run-dir=again > /dev/null 2> err || fail "again: $(cat err)"
cmp run/sweep.csv again/sweep.csv || fail "another result"
refused 4 "again/sweep.csv' " "$program" train.npy val.npy $COMMON --run-dir=again

# One that diverges is said and left out; the others are what they are without it.
"$program" train.npy val.npy $COMMON --lr='1e6 1' --wd='1e6 0' --run-dir=diverged > out 2> err || fail "diverged: $(cat err)"
grep -q '^diverged train --lr=1e+06 --weight-decay=1e+06 in epoch [0-9]*$' out || fail "not said: $(cat out)"
grep -q '^train,1e+06,1e+06,,,,,,,,[0-9]*$' diverged/sweep.csv || fail "its line: $(cat diverged/sweep.csv)"
[[ $(grep '^train,1,0,' diverged/sweep.csv) == $(grep '^train,1,0,' run/sweep.csv) ]] || fail "another: $(cat diverged/sweep.csv)"
refused 5 'the loss of every probe is not finite; lower --lr' "$program" train.npy val.npy $COMMON --lr=1e6 --wd=1e6 --run-dir=none
[[ ! -e none/sweep.csv ]] || fail "a table of nothing was written"

# Several features, by folder or by file: each as alone. Those that say nothing are not the best.
mkdir one two
for set in train val; do
  [[ $set == train ]] && to=one || to=two
  cp $set.npy $to/stage2.npy
  cp $set.csv $to/stage2.csv
  cp $set.csv $to/stage1.csv
done
features one/stage1 1 1 1 1 1 1 1 1
features two/stage1 1 1 1 1 1 1 1
"$program" one two --features=stage1,stage2 $COMMON --lr=1 --wd=0 --run-dir=both > out 2> err || fail "two features: $(cat err)"
grep -q '^best .*: stage2 --lr=1' out || fail "the best: $(cat out)"
[[ $(sed -n 's/^stage2,//p' both/sweep.csv) == $(sed -n 's/^train,1,0,/1,0,/p' run/sweep.csv) ]] || fail "as alone: $(cat both/sweep.csv)"
"$program" one/stage1.npy,one/stage2.npy two/stage1.npy,two/stage2.npy $COMMON --lr=1 --wd=0 --run-dir=files > /dev/null 2> err ||
  fail "by file: $(cat err)"
cmp both/sweep.csv files/sweep.csv || fail "by file it is another"

# Other labels, of some images.
printf '%s\n' file,label a.png,1 d.png,0 e.png,0 b.png,1 > labels.csv
"$program" train.npy val.npy $COMMON --labels=labels.csv --lr=1 --wd=0 --run-dir=labels > out 2> err || fail "labels: $(cat err)"
grep -q '^train  *4 images, 3 without a label left out' out || fail "$(cat out)"
grep -q '^best  *Acc@1 20.00 %' out || fail "the other way round: $(cat out)"
echo z.png,1 >> labels.csv
refused 2 "labels.csv' line 6: 'z.png'" "$program" train.npy val.npy $COMMON --labels=labels.csv

"$program" --help | grep -q -- '--weight-decay' || fail "no help"
refused 2 'VAL' "$program" train.npy
refused 2 'nowhere' "$program" train.npy nowhere.npy $COMMON
refused 2 'a batch of 256 cannot be filled from 6 images; set --batch-size to 1 to 6' "$program" train.npy val.npy
refused 2 '--lr is -1, must be 0 to' "$program" train.npy val.npy $COMMON --lr='1 -1'
refused 2 '--weight-decay is .x.' "$program" train.npy val.npy $COMMON --wd=x
refused 2 '--epochs is 0' "$program" train.npy val.npy --epochs=0
refused 2 "'15 x'" "$program" train.npy val.npy $COMMON --schedule='15 x'
refused 2 'TRAIN names 2 features, VAL 1' "$program" train.npy,train.npy val.npy $COMMON
refused 2 'are not of the same images' "$program" train.npy,val.npy val.npy,val.npy $COMMON
refused 2 'have 1 and 2 features' "$program" one/stage1.npy val.npy $COMMON
features nan 2 'nan 0' '0 1'
list nan a.png,0 b.png,1
refused 2 "nan.npy' row 0, of 'a.png', holds nan" "$program" nan.npy val.npy $COMMON
features same 2 '1 0' '0 1'
list same a.png,0 b.png,0
refused 2 'one class' "$program" same.npy same.npy --batch-size=1
cp train.npy backbone.npy && cp train.csv backbone.csv
refused 2 "none.pth.tar.*--pretrained" "$program" backbone.npy val.npy $COMMON --pretrained=none.pth.tar
[[ ! -e runs ]] || fail "a refused run has left a folder"
finish
