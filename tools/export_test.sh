#!/usr/bin/env bash
# tools/export: each format has the encoder's tensors under the right names; bad input.
set -u

export=$PWD/tools/export
inspect=$PWD/tools/inspect
untrained=$PWD/lincls/untrained_checkpoint
demo=$PWD/data/demo/train/train-0.tar
files=$PWD/tensors/testdata/tensor_files
cd "$TEST_TMPDIR" || exit 1

fail() {
  echo "FAILED: $*"
  exit 1
}

# refused CODE TEXT ARGUMENT...: one line on stderr, which holds TEXT.
refused() {
  local code=$1 text=$2
  shift 2
  "$export" "$@" >out 2>err
  local got=$?
  [[ $got == "$code" ]] || fail "exit code $got, not $code, of: $* ($(cat out err))"
  [[ $(wc -l <err) == 1 ]] || fail "not one line on stderr, of: $* ($(cat err))"
  grep -qF -- "$text" err || fail "no '$text' in: $(cat err)"
}

# tensors FILE PREFIX: "name dtype shape crc" of the tensors below PREFIX, sorted.
tensors() {
  "$inspect" "$1" | sed -n "s/^  $2//p" | grep -E ' (float32|int64) ' | tr -s ' ' | sort
}

spec=resnet_small:width=4,blocks=2,stages=3
views='resize:size=32|center_crop:size=32|to_tensor|normalize'
"$untrained" $spec "$views" encoder.pth.tar 0 || fail "no checkpoint"
tensors encoder.pth.tar 'state_dict\/module.encoder_q.' >want
(($(wc -l <want) > 30)) || fail "few tensors: $(cat want)"

for format in torchvision safetensors detectron2; do
  "$export" encoder.pth.tar --to=$format --out=$format --verify >$format.out 2>&1 || fail "$(cat $format.out)"
  grep -q "^$PWD/$format: $(wc -l <want) tensors of resnet_small" $format.out || fail "$(cat $format.out)"
  grep -q '^verified' $format.out || fail "$format was not verified: $(cat $format.out)"
done
"$export" encoder.pth.tar --to=onnx --out=onnx --verify >onnx.out 2>&1 || fail "$(cat onnx.out)"
grep -q "^$PWD/onnx: $(grep -vc num_batches_tracked want) tensors of resnet_small" onnx.out || fail "$(cat onnx.out)"
grep -q '^verified: .* of 8 images' onnx.out || fail "onnx was not verified: $(cat onnx.out)"
"$inspect" torchvision | grep -q '^torchvision: zip\|/torchvision: zip' || fail "not a zip"
"$inspect" safetensors | grep -q '/safetensors: safetensors' || fail "not safetensors"
"$inspect" detectron2 | grep -q '/detectron2: pickle' || fail "not a pickle"
"$inspect" detectron2 | grep -qE '^  matching_heuristics +bool +true$' || fail "no matching_heuristics"
"$inspect" detectron2 | grep -qE '^  __author__ +text +MOCO$' || fail "no __author__"

diff want <(tensors torchvision '') || fail "torchvision has other tensors"
diff want <(tensors safetensors '') || fail "safetensors has other tensors"
# detectron2's names, as the official conversion makes them.
sed -E '/^layer/!s/^/stem./; s/layer3/res4/; s/layer2/res3/; s/layer1/res2/; s/bn([123])/conv\1.norm/
        s/downsample\.0/shortcut/; s/downsample\.1/shortcut.norm/' want | sort >renamed
for name in stem.conv1.norm.weight res2.0.conv2.norm.running_var res3.0.shortcut.weight res4.1.conv1.weight; do
  grep -q "^$name " renamed || fail "the test itself does not know $name: $(cat renamed)"
done
diff renamed <(tensors detectron2 'model\/') || fail "detectron2 has other tensors"

"$inspect" onnx | grep -qE '^  opset +int +13$' || fail "no opset: $("$inspect" onnx)"
"$inspect" onnx | grep -qE '^  input images +float32 +batchx3xheightxwidth$' || fail "no input: $("$inspect" onnx)"
diff <(grep -v num_batches_tracked want) <(tensors onnx '' | grep -vE '^(in|out)put ') || fail "onnx has other tensors"

"$export" encoder.pth.tar --to=torchvision --out=again && cmp torchvision again || fail "not the same twice"

# A folder of one's own, of fewer images.
mkdir own && tar xf "$demo" -C own --wildcards '*/000[0-3].jpg' || fail "no images"
own=$(find own -name '*.jpg' | wc -l)
"$export" encoder.pth.tar --to=onnx --out=again --verify --images=own >out || fail "$(cat out)"
grep -q "of $((own < 8 ? own : 8)) images" out || fail "of $own images: $(cat out)"

# What was written is read like a checkpoint.
"$export" safetensors --to=torchvision --out=through --arch="$spec" --verify >out || fail "from safetensors: $(cat out)"
diff want <(tensors through '') || fail "safetensors to torchvision has other tensors"

refused 2 'CHECKPOINT' --to=torchvision
refused 2 '--out' encoder.pth.tar --to=torchvision
refused 2 "--to is 'caffe'" encoder.pth.tar --to=caffe --out=x
refused 2 'give --arch' safetensors --to=torchvision --out=x --verify
refused 2 'No such file' encoder.pth.tar --to=onnx --out=x --verify --images=absent
refused 2 'is the checkpoint itself' encoder.pth.tar --to=torchvision --out=encoder.pth.tar
refused 2 "expected one of 'module.encoder_q.' (MoCo v1, v2)" "$files/zip.pth.tar" --to=torchvision --out=x
refused 2 'No such file' absent --to=torchvision --out=x
refused 2 'No such file' encoder.pth.tar --to=torchvision --out=absent/x
head -c 3000 encoder.pth.tar >cut
refused 3 'is damaged' cut --to=safetensors --out=x
[[ ! -e x ]] || fail "a refused export has left a file"
echo PASSED
