#!/usr/bin/env bash
# Labels to a tensor and back, and everything that must be settled first.
set -euo pipefail

labels=$PWD/tools/labels inspect=$PWD/tools/inspect
mkdir "$TEST_TMPDIR/work"
cd "$TEST_TMPDIR/work"

fail() {
  echo "FAILED: $*"
  exit 1
}

# refused CODE PATTERN COMMAND...: that exit code, one line on stderr, and nothing new in the folder.
refused() {
  local code=$1 pattern=$2 before got=0
  shift 2
  before=$(ls -A)
  "$@" > "$TEST_TMPDIR/out" 2> "$TEST_TMPDIR/err" || got=$?
  [ $got -eq $code ] || fail "exit code $got of: $* ($(cat "$TEST_TMPDIR/err"))"
  [ "$(wc -l < "$TEST_TMPDIR/err")" -eq 1 ] || fail "not one line: $(cat "$TEST_TMPDIR/err")"
  grep -q "^error: .*$pattern" "$TEST_TMPDIR/err" || fail "no '$pattern' in: $(cat "$TEST_TMPDIR/err")"
  [ "$(ls -A)" = "$before" ] || fail "it wrote something: $(ls -A)"
}

printf 'filename\n11.png\n2.png\n"a, b.png"\n5.png\n' > request_01.csv
printf 'dog\ncat\n"bird"\nfrog\n' > names.txt
printf 'file,label\n2.png,cat\n"a, b.png",dog\n5.png,cat\n11.png,frog\n2.png,cat\n' > answers.csv

"$labels" request_01.csv answers.csv --classes=names.txt > out
printf '%7d  %s\n' 1 dog 2 cat 0 '"bird"' 1 frog > expected
echo "1 lines repeat an earlier line" >> expected
echo "4 labels are in $PWD/label_01.pt" >> expected
diff expected out || fail "the counts"
"$inspect" label_01.pt | grep -q 'int64.*4' || fail "the tensor: $("$inspect" label_01.pt)"

# Back: what was told, in the order of the request.
"$labels" request_01.csv label_01.pt > out
printf 'file,label\n11.png,3\n2.png,1\n"a, b.png",0\n5.png,1\n' > expected
diff expected label_01.csv || fail "numbers"
"$labels" request_01.csv label_01.pt --classes=names.txt --out=named.csv > out
printf 'file,label\n11.png,frog\n2.png,cat\n"a, b.png",dog\n5.png,cat\n' > expected
diff expected named.csv || fail "names"
grep -q "^      0  \"bird\"" out || fail "counts on the way back: $(cat out)"

# Of very many classes, a line.
printf 'filename\n0.png\n1.png\n' > request_77.csv
printf 'file,label\n0.png,0\n1.png,119\n' > many.csv
"$labels" request_77.csv many.csv > out
grep -qx "120 classes, of 0 to 1 labels: the first, 0, has 1, the last, 119, 1" out || fail "many classes: $(cat out)"
[ "$(wc -l < out)" -eq 2 ] || fail "not a line of many classes: $(cat out)"

# And there again: the same tensor.
for table in label_01.csv named.csv; do
  classes=; [ $table = label_01.csv ] || classes=names.txt
  "$labels" request_01.csv $table --out=again_$table.pt --classes=$classes > /dev/null
  cmp label_01.pt again_$table.pt || fail "another tensor by way of $table"
done

# Tables of other programs: with a mark, semicolons and further columns; or with columns that only people know.
printf '\xef\xbb\xbfId;Image Name;Class;sure\r\n0;2.png;cat;yes\r\n1;a, b.png;dog;no\r\n2;5.png;cat;yes\r\n3;11.png;frog;yes\r\n' > sheet.csv
"$labels" request_01.csv sheet.csv --classes=names.txt --out=sheet.pt > out
cmp label_01.pt sheet.pt || fail "another tensor from a sheet: $(cat out)"
printf 'what\twhere\tbreed\ndog\t2.png\tcat\ndog\ta, b.png\tdog\ndog\t5.png\tcat\ndog\t11.png\tfrog\n' > tabs.tsv
"$labels" request_01.csv tabs.tsv --classes=names.txt --columns=where,breed --out=tabs.pt > out
cmp label_01.pt tabs.pt || fail "another tensor from chosen columns: $(cat out)"
refused 2 "tabs.tsv'.*'where', 'breed'.*--columns=" \
  "$labels" request_01.csv tabs.tsv --classes=names.txt --columns=where,race --out=x.pt

# What is paid for is not written over.
refused 4 "label_01.pt' already exists.*--out" \
  "$labels" request_01.csv answers.csv --classes=names.txt
refused 4 "named.csv' already exists" "$labels" request_01.csv label_01.pt --out=named.csv

mkdir conflicts
cp request_01.csv names.txt conflicts/
cd conflicts
printf '11.png,cat\n2.png,cta\n2.png,dog\n11.png,dog\n7.png,cat\n5.png,\n' > answers.csv
refused 2 "answers.csv'.* 5 conflicts.*'$PWD/request_01.csv'" \
  "$labels" request_01.csv answers.csv --classes=names.txt
cat > expected <<'END'
line 2: '2.png': 'cta' is not a class name in --classes; did you mean 'cat'?
line 4: '11.png' is labelled 'dog', but 'cat' in line 1
line 5: '7.png' is not in the request
'a, b.png' (line 4 of the request) has no label
'5.png' (line 5 of the request) has no label
END
diff expected "$TEST_TMPDIR/out" || fail "the conflicts"

refused 2 "LABELS" "$labels" request_01.csv
refused 2 "request_02.csv': No such file" "$labels" request_02.csv answers.csv
refused 2 "nowhere.csv': No such file" "$labels" request_01.csv nowhere.csv
refused 2 "label_01.pt': No such file" "$labels" request_01.csv label_01.pt
refused 2 "nowhere.txt': No such file" "$labels" request_01.csv answers.csv --classes=nowhere.txt
refused 2 "unknown flag --klass" "$labels" request_01.csv answers.csv --klass=names.txt
cp request_01.csv mine.csv
refused 2 "mine.csv'.*request_NN.csv.*--out" "$labels" mine.csv answers.csv
printf '11.png\n2.png\n11.png\n' > request_03.csv
refused 2 "request_03.csv' line 3: '11.png'.* line 1" "$labels" request_03.csv answers.csv
printf 'filename\n' > request_04.csv
refused 2 "request_04.csv' names no images" "$labels" request_04.csv answers.csv
printf '11.png\n2.png\n' > request_05.csv
refused 2 "request_05.csv' names 2 images, but '.*label_01.pt' has 4 labels" \
  "$labels" request_05.csv ../label_01.pt --out=x.csv
printf 'dog\ncat\n' > few.txt
refused 2 "label_01.pt' has class 3 for '11.png', but '.*few.txt' names 2 classes" \
  "$labels" request_01.csv ../label_01.pt --classes=few.txt --out=x.csv
refused 2 "names.txt" "$labels" request_01.csv names.txt --out=x.pt
head -c 100 ../label_01.pt > cut.pt
"$labels" request_01.csv cut.pt --out=x.csv 2> err && fail "a cut tensor"
grep -q "^error: .*cut.pt'" err || fail "$(cat err)"
[ ! -e x.csv ] || fail "a table of a cut tensor"
echo PASSED
