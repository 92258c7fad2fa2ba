#!/usr/bin/env bash
# tools/inspect: what it prints of each format, and of bad files.
set -u

inspect=$PWD/tools/inspect
files=$PWD/tensors/testdata/tensor_files
cd "$TEST_TMPDIR" || exit 1

fail() {
  echo "FAILED: $*"
  exit 1
}

# refused CODE TEXT ARGUMENT...: nothing but one line on stderr, which holds TEXT.
refused() {
  local code=$1 text=$2
  shift 2
  "$inspect" "$@" >out 2>err
  local got=$?
  [[ $got == "$code" ]] || fail "exit code $got, not $code, of: $* ($(cat out err))"
  [[ $(wc -l <err) == 1 && ! -s out ]] || fail "not one line on stderr, of: $* ($(cat out err))"
  grep -qF -- "$text" err || fail "no '$text' in: $(cat err)"
}

# Every tensor with the checksum that Python has found: "FILE NAME: DTYPE [SHAPE] CRC".
while read -r line; do
  file=${line%% *} rest=${line#* }
  name=${rest%%:*} rest=${rest#*: }
  dtype=${rest%% *} shape=$(grep -o '\[.*\]' <<<"$rest") crc=${rest##* }
  shape=${shape:1:-1}
  [[ -s $file.out ]] || "$inspect" "$files/$file" >"$file.out" || fail "$file"
  grep -qF "  ${name:-(the file)} " "$file.out" || fail "no '$name' in: $(cat "$file.out")"
  grep -F "  ${name:-(the file)} " "$file.out" | grep -qE " $dtype +${shape:-scalar} +$crc\$" ||
    fail "not '$line' in: $(cat "$file.out")"
done <"$files/expected.txt"
[[ $(ls ./*.out | wc -l) == 9 ]] || fail "not every file was tried: $(ls)"

head -1 legacy.pth.tar.out | grep -q 'legacy.pth.tar: legacy, 21 tensors$' || fail "$(head -1 legacy.pth.tar.out)"
for line in 'epoch +int +3' 'arch +text +resnet50' 'args +object +argparse.Namespace, not read' \
  'best_acc1 +object .*not read' 'none +none' 'yes +bool +true' 'optimizer/param_groups/0/lr +float +0.03' \
  'size +tuple +2, 3' 'optimizer/param_groups/0/betas +tuple +0.9, 0.999' 'state_dict/channels_last +float32 +2x3x2x4 +0f00411c'; do
  grep -qE "^  $line\$" zip.pth.tar.out || fail "no '$line' in: $(cat zip.pth.tar.out)"
done
# The columns are aligned, and what a file says moves no cursor.
[[ $(awk '/ float32 /{ print index($0, " float32 ") }' zip.pth.tar.out | sort -u | wc -l) == 1 ]] ||
  fail "not aligned: $(cat zip.pth.tar.out)"
grep -qF '__metadata__/note' plain.safetensors.out && grep -qF 'two\x0alines' plain.safetensors.out ||
  fail "metadata: $(cat plain.safetensors.out)"

refused 2 'FILE'
refused 2 "absent': No such file" absent
refused 2 'is a folder' "$files"
refused 2 'is not a checkpoint' "$files/expected.txt"
refused 2 '--jsn' --jsn "$files/label.pt"
head -c 1000 "$files/zip.pth.tar" >cut.pth.tar
refused 3 "'$PWD/cut.pth.tar' is damaged" "$PWD/cut.pth.tar"
cp "$files/label.pt" changed.pt && chmod u+w changed.pt
at=$(grep -obUaP '\x03\x00\x00\x00\x00\x00\x00\x00\x04' changed.pt | head -1 | cut -d: -f1)
printf '\x09' | dd of=changed.pt bs=1 seek="$at" conv=notrunc status=none
refused 3 'is damaged' "$PWD/changed.pt"
echo PASSED
