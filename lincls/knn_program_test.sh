#!/bin/bash
# knn as a person meets it: tables that can be worked out by hand, and bad input.
. lincls/features_lib.sh
program=$PWD/lincls/knn
start

# Each image has one of its class in its own direction and two of the other class across, which outvote it
# where the temperature makes all votes alike.
features bank 2 '1 0' '2 0' '0 1' '0 2'
list bank a/1.png,0 a/2.png,0 b/1.png,1 b/2.png,1
"$program" bank.npy --k 20 1 20 --t='0.1, 100' --out=table.csv > out 2> err || fail "knn: $(cat err)"
grep -q '^k=1  *100.00\*  *100.00 $' out || fail "k=1: $(cat out)"
grep -q '^k=20  *100.00  *0.00 $' out || fail "k=20: $(cat out)"
grep -q '^best  *100.00 % with --k=1 --t=0.1$' out || fail "best: $(cat out)"
printf '%s\n' k,t,acc1 1,0.1,1 1,100,1 20,0.1,1 20,100,0 > expected
cmp expected table.csv || fail "the table: $(cat table.csv)"

# The others of a bank alone, and all of it when the queries are others. An image without a label has no say.
features queries 2 '3 0' '1 2' '0 1' '5 5'
list queries x.png,0 y.png,1 z.png,0 w.png,
"$program" bank.npy queries.npy --k=1 --t=1 > out 2> err || fail "knn: $(cat err)"
grep -q '^bank  *4 images x 2 features' out && grep -q '^queries  *3 images .*; 1 without a label' out || fail "$(cat out)"
grep -q '^k=1  *66.67\*$' out || fail "two of three are right: $(cat out)"

# Neighbours of images, by name: labels do not matter, an image is not its own.
"$program" bank.npy queries.npy --neighbours=w.png,y.png --nearest=2 > out 2> err || fail "neighbours: $(cat err)"
printf '%s\n' 'w.png' '   0.7071  a/1.png  (0)' '   0.7071  a/2.png  (0)' \
  'y.png  (1)' '   0.8944  b/1.png  (1)' '   0.8944  b/2.png  (1)' > expected
cmp expected out || fail "neighbours: $(cat out)"
"$program" bank.npy --neighbours=b/2.png > out 2> err || fail "neighbours: $(cat err)"
printf '%s\n' 'b/2.png  (1)' '   1.0000  b/1.png  (1)' '   0.0000  a/1.png  (0)' '   0.0000  a/2.png  (0)' > expected
cmp expected out || fail "of a set itself: $(cat out)"

"$program" --help | grep -q -- '--neighbours' || fail "no help"
refused 2 'BANK' "$program"
refused 2 "nowhere" "$program" nowhere
refused 2 'is given twice' "$program" bank.npy bank.npy
refused 2 '--k is 0, must be 1 to' "$program" bank.npy --k='1 0'
refused 2 '--k is 1.5' "$program" bank.npy --k=1.5
refused 2 '--k is .x.' "$program" bank.npy --k=x
refused 2 '--t is 0, must be' "$program" bank.npy --t=0
refused 2 '--nearest is 0' "$program" bank.npy --neighbours=a/1.png --nearest=0
refused 2 "'c.png'.*bank.npy.*a/1.png" "$program" bank.npy --neighbours=c.png
refused 2 '--neighbours' "$program" bank.npy --sheet=out.png
refused 2 'out.jpg.*[.]png' "$program" bank.npy --neighbours=a/1.png --sheet=out.jpg
refused 2 '--out.*--neighbours' "$program" bank.npy --neighbours=a/1.png --out=table.csv
refused 2 'says where the images are' "$program" bank.npy --neighbours=a/1.png --sheet=out.png
refused 2 'nowhere/table.csv' "$program" bank.npy --out=bank.npy/nowhere/table.csv
features wide 3 '1 0 0' '0 1 0'
list wide a.png,0 b.png,1
refused 2 "have 2 and 3 features" "$program" bank.npy wide.npy
features nan 2 '1 0' '0 nan'
list nan a.png,0 b.png,1
refused 2 "nan.npy' row 1, of 'b.png', holds nan" "$program" bank.npy nan.npy
features short 2 '1 0' '0 1'
list short a.png,0
refused 2 "has 2 rows, but .*short.csv' names 1" "$program" short.npy
list short a.png, b.png,1
refused 2 "has 1 images with a label" "$program" short.npy
"$program" bank.npy short.npy > /dev/null 2> err || fail "one query with a label: $(cat err)"
[[ ! -e out.png && ! -e out.jpg ]] || fail "something was written"
finish
