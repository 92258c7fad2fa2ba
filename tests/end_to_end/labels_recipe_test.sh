#!/bin/bash
# docs/recipes/labels.sh from start to end, as it is, on fewer images.
export PROGRAMS=$PWD
recipe=$PWD/docs/recipes/labels.sh labels=$PWD/tools/labels
. tests/end_to_end/lib.sh

IMAGES=300 TRAIN=40 VAL=50 BUDGET=60 EPOCHS=1 THREADS=1 "$recipe" made > out 2>&1 || fail "the recipe: $(cat out)"

# The new labels have joined the old ones.
images() { grep -o '[0-9]* training and [0-9]* validation images in [0-9]* classes' out | sed -n "$1p"; }
[ "$(images 1)" = "40 training and 50 validation images in 10 classes" ] || fail "before: $(images 1)"
[ "$(images 2)" = "100 training and 50 validation images in 10 classes" ] || fail "after: $(images 2)"
[ "$(grep -c '^best .*Acc@1' out)" -eq 2 ] || fail "no accuracy: $(cat out)"

# What was asked for: 60 different images that are there.
request=made/data/request_01.csv
[ "$(tail -n +2 "$request" | sort -u | wc -l)" -eq 60 ] || fail "the request: $(cat "$request")"
for image in $(tail -n +2 "$request"); do
  [ -s "made/data/unlabeled/$image" ] || fail "no image $image"
done
grep -q '<h1>60 of 300 images to label</h1>' made/request_01.html || fail "the page"
[ "$(grep -o '<img ' made/request_01.html | wc -l)" -ge 1 ] || fail "no pictures"

# What came back is the truth, and in the order of the request.
"$labels" "$request" made/data/label_01.pt --classes=made/classes.txt --out=back.csv > /dev/null || fail "back"
diff <(tail -n +2 back.csv) <(awk -F, 'NR == FNR { label[$1] = $2; next } FNR > 1 { print $1 "," label[$1] }' \
  made/truth.csv "$request") || fail "other labels"

# The next list is another one, of images that have no label yet.
"${PROGRAMS}/tools/select_labels" made/run/features/pretraining --budget=200 > out 2>&1 || fail "$(cat out)"
[ -z "$(sort <(tail -n +2 "$request") <(tail -n +2 made/data/request_02.csv) | uniq -d)" ] || fail "asked for twice"
"${PROGRAMS}/tools/select_labels" made/run/features/pretraining --budget=200 > out 2> err && fail "more than there are"
[ ! -e made/data/request_03.csv ] || fail "a list without enough images"
echo PASSED
