#!/usr/bin/env bash
# select_labels on small features: what it writes, what it leaves out, and everything that can be wrong.
set -euo pipefail

select=$PWD/tools/select_labels
cd "$TEST_TMPDIR"

fail() {
  echo "FAILED: $*"
  exit 1
}
# Bytes of float32, each 0.5 to 1 or -1 to -0.5, that look random; the same for the same seed.
values() {  # values SEED COUNT
  local state=$1 sign
  for ((i = 0; i < $2; ++i)); do
    state=$(((state * 1103515245 + 12345) % 2147483648))
    sign=$((state & 65536 ? 0x3f : 0xbf))
    printf '\\x00\\x%02x\\x%02x\\x%02x' $((state >> 8 & 255)) $((state >> 17 & 127)) $sign
  done
}
npy() {  # npy FILE ROWS COLUMNS BYTES: version 1.0, a header of 118 bytes
  printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' \
    "{'descr': '<f4', 'fortran_order': False, 'shape': ($2, $3), }" >"$1"
  printf "$4" >>"$1"
}
names() {  # names COUNT
  for ((i = 0; i < $1; ++i)); do echo "$i.png"; done
}
# 40 images of numbered_png, none labelled; features in features/.
layout() {
  rm -rf data features
  mkdir -p data/unlabeled data/train features
  npy features/backbone.npy 40 6 "$(values 7 240)"
  { echo file,label; names 40 | sed 's/$/,/'; } >features/images.csv
  cat >features/features.json <<JSON
{"data": "$PWD/data", "dataset": "numbered_png", "split": "pretraining", "folder": "$PWD/data/unlabeled/",
 "classes": [], "checkpoint": "checkpoint.pth.tar", "arch": "resnet18", "weights": "", "eval_views": "",
 "features": ["backbone"], "dtype": "float32", "columns": [], "images": 40, "done": 40, "rows": 40, "finished": true}
JSON
}
# refused CODE TEXT ARGUMENTS...: one line with TEXT, that exit code, and no new file anywhere.
refused() {
  local code=$1 text=$2 before got=0
  shift 2
  rm -f out err
  before=$(find . -type f | sort)
  "$select" "$@" >out 2>err || got=$?
  rm out
  [ $got -eq "$code" ] || fail "$*: exit $got, not $code: $(cat err)"
  [ "$(wc -l <err)" -eq 1 ] || fail "$*: $(cat err)"
  grep -qF -- "$text" err || fail "$*: not '$text': $(cat err)"
  rm err
  [ "$(find . -type f | sort)" = "$before" ] || fail "$*: wrote $(find . -type f -newer features)"
}

# The adaptation's layout: the next number, in its form, beside the data.
layout
"$select" features --budget=12 --duplicates=1 >out 2>err || fail "$(cat err)"
[ "$(head -n 1 data/request_01.csv)" = filename ] || fail "$(cat data/request_01.csv)"
sed 1d data/request_01.csv >first
[ "$(grep -cxE '[0-9]+\.png' first)" -eq 12 ] || fail "$(cat first)"
[ "$(sort first | uniq | wc -l)" -eq 12 ] || fail "twice: $(cat first)"
grep -qx 'strata  *12 of 3 to 4 images; quotas 1, chosen 1' <(sed 's/of [0-9]* to [0-9]* images/of 3 to 4 images/' out) ||
  fail "$(cat out)"
grep -q "^chosen  *12: $PWD/data/request_01.csv (why: $PWD/data/strata_01.csv); .* of memory" out || fail "$(cat out)"
[ "$(head -n 1 data/strata_01.csv)" = file,stratum,cluster,energy ] || fail "$(head -n 1 data/strata_01.csv)"
[ "$(sed 1d data/strata_01.csv | cut -d, -f1 | sort)" = "$(sort first)" ] || fail "strata_01.csv has other images"
grep -qE '^[0-9]+\.png,"cluster 0, centre, low energy",0,-?[0-9.]+$' data/strata_01.csv || fail "$(cat data/strata_01.csv)"

# A second one excludes the first, whose labels have not come, and says so.
"$select" features --budget=28 --duplicates=1 --strategy=random >out
grep -q "^excluded  *12 are in '$PWD/data/request_01.csv'.* no labels" out || fail "$(cat out)"
sed 1d data/request_02.csv >second
[ "$(sort first second | uniq | wc -l)" -eq 40 ] || fail "chosen twice: $(sort first second | uniq -d)"
refused 2 "--budget is 1, but of 40 images only 0 can be chosen (40 have a label" features --budget=1
rm data/request_02.csv data/strata_02.csv

# One seed, one choice; whatever its name, and wherever it is written.
"$select" features --budget=28 --duplicates=1 --strategy=random --out=again.csv >out
[ "$(sed 1d again.csv)" = "$(cat second)" ] || fail "not the same"
[ -e strata_again.csv ] || fail "no strata_again.csv"
"$select" features --budget=28 --duplicates=1 --strategy=random --seed=1 --out=other.csv >out
[ "$(sed 1d other.csv)" != "$(cat second)" ] || fail "the same by another seed"
for strategy in k_center typical; do
  "$select" features --budget=5 --strategy=$strategy --out=$strategy.csv >out
  [ "$(wc -l <$strategy.csv)" -eq 6 ] || fail "$strategy: $(cat $strategy.csv)"
done

# Another program's features: requests are numbered where the person stands.
npy mine.npy 4 2 "$(values 3 8)"
printf 'file,label,moco_loss\n"a, b.png",,1\nc.png,3,2\n"d ""e"".png",,3\nf.png,,4\n' >mine.csv
"$select" mine.npy --budget=3 --duplicates=1 --energy=moco_loss >out
grep -q "^excluded  *1 have a label in the features' table" out || fail "$(cat out)"
[ "$(sort request_01.csv)" = "$(printf '"a, b.png"\n"d ""e"".png"\nf.png\nfilename\n' | sort)" ] || fail "$(cat request_01.csv)"
"$select" mine.npy --budget=1 --duplicates=1 --labelled=request_01.csv >out 2>err && fail "nothing is left"
grep -q "of 4 images only 0 can be chosen" err || fail "$(cat err)"
rm request_01.csv strata_01.csv

# On a file system that cannot rename to new names alone; and on one that is full when the request is written.
if strace -o /dev/null true 2>/dev/null; then
  calls=(strace -f -qq -o /dev/null -e trace=renameat2)
  "${calls[@]}" -e inject=renameat2:error=EINVAL "$select" mine.npy --budget=1 --duplicates=1 --out=linked.csv >out ||
    fail "no file by a link"
  [ "$(wc -l <linked.csv)" -eq 2 ] || fail "$(cat linked.csv)"
  got=0
  "${calls[@]}" -e inject=renameat2:error=ENOSPC:when=2 "$select" mine.npy --budget=1 --duplicates=1 --out=full.csv \
    >out 2>err || got=$?
  [ $got -eq 4 ] && grep -q "full.csv.*: No space left on device; free some space" err || fail "full: $got, $(cat err)"
  [ "$(echo *full*)" = "*full*" ] || fail "left behind: $(echo *full*)"
else
  [ -x "$(command -v strace)" ] || fail "no strace; run ./tools/setup.sh"
fi

# The page, without pictures where nobody knows the images; never over another file, and only with the list.
"$select" mine.npy --budget=2 --duplicates=1 --strategy=random --out=paged.csv --page=paged.html >out
grep -q "^page  *$PWD/paged.html, " out || fail "$(cat out)"
grep -q '<h1>2 of 4 images to label</h1>' paged.html || fail "the page's title"
[ "$(grep -o '<li>[^<]*' paged.html | sed 's/<li>//; s/&#34;/"/g' | sort)" = \
  "$(sed '1d; s/^"//; s/"$//; s/""/"/g' paged.csv | sort)" ] || fail "the page's files: $(cat paged.csv)"
grep -q 'There are no pictures' paged.html || fail "no word on the pictures"
refused 4 "'$PWD/paged.html' already exists" mine.npy --budget=1 --page=paged.html --out=new.csv
refused 2 "not a folder" mine.npy --budget=1 --page=nowhere/x.html --out=new.csv
refused 2 "'$PWD/data/unlabeled' holds no images" features --budget=3 --page=new.html
mkdir data/strata_02.csv
refused 4 "'$PWD/data/strata_02.csv' already exists" features --budget=3 --page=new.html
rmdir data/strata_02.csv

# Near duplicates count once.
printf 'file\n0.png\n1.png\n2.png\n' >twins.csv
npy twins.npy 3 2 "$(values 3 4)$(values 3 2)"
"$select" twins.npy --budget=2 --out=of_twins.csv >out
grep -q "^near duplicates  *1 left out (cosine above 0.99)" out || fail "$(cat out)"
[ "$(grep -c '[02].png' of_twins.csv)" -eq 1 ] || fail "$(cat of_twins.csv)"
refused 2 "(1 are near duplicates" twins.npy --budget=3

# What can be wrong with the command,
refused 2 "FEATURES" --budget=3
refused 2 "--budget" features
refused 2 "--budget is 29, but of 40 images only 28 can be chosen" features --budget=29
refused 2 "--clusters is 29, more than the 28 images that can be chosen" features --budget=3 --clusters=29
refused 2 "--duplicates is 1.5" features --budget=3 --duplicates=1.5
refused 2 "unknown strategy 'balancd'" features --budget=3 --strategy=balancd
refused 2 "unknown energy 'entropy'" features --budget=3 --energy=entropy
refused 2 "bazel run //lincls:features -- $PWD/data --pretrained=checkpoint.pth.tar --split=pretraining --out=$PWD/features-disagreement --columns=disagreement" \
  features --budget=3 --energy=disagreement
refused 4 "'$PWD/again.csv' already exists" features --budget=3 --out=again.csv
echo mine >page.html
refused 4 "'$PWD/page.html' already exists" features --budget=3 --page=page.html
refused 2 "not a folder" features --budget=3 --out=nowhere/x.csv
# with the lists,
echo 'image
3.png
index' >list.csv
refused 2 "'$PWD/list.csv' line 3: 'index'" features --budget=3 --labelled=list.csv
cp data/request_01.csv list.csv
refused 2 "'$PWD/data/request_01.csv' line 2" features --budget=3 --labelled=list.csv
refused 2 "nowhere.csv" features --budget=3 --labelled=nowhere.csv
echo "no tensor" >data/label_01.pt
refused 2 "'$PWD/data/label_01.pt'" features --budget=3
mv data/label_01.pt data/label_07.pt
refused 2 "'$PWD/data/request_07.csv'" features --budget=3
rm data/label_07.pt
# and with the features.
sed -i '$d' features/images.csv
refused 2 "has 40 rows, but '$PWD/features/images.csv' names 39 images" features --budget=3
layout
sed -i '1s/file/name/' features/images.csv
refused 2 "'$PWD/features/images.csv' line 1: the header is 'name,label'" features --budget=3
layout
npy features/backbone.npy 40 6 "$(values 7 120)\\x00\\x00\\xc0\\x7f$(values 8 119)"
refused 2 "row 20, of '20.png', holds nan" features --budget=3
npy features/backbone.npy 40 6 "$(for ((i = 0; i < 240; ++i)); do printf '\\x00\\x00\\x80\\x3f'; done)"
refused 2 "all 40 features of '$PWD/features/backbone.npy'" features --budget=3
refused 2 "nowhere" nowhere --budget=3
echo PASSED
