#!/usr/bin/env bash
# tools/export: each format has the encoder's tensors under the right names; bad input.
set -u

export=$PWD/tools/export
inspect=$PWD/tools/inspect
untrained=$PWD/lincls/untrained_checkpoint
lincls=$PWD/lincls/lincls
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

# Another opset, and images of bytes.
"$export" encoder.pth.tar --to=onnx --out=bytes.onnx --opset=17 --with-preprocessing --verify >out || fail "bytes: $(cat out)"
grep -q '^verified' out || fail "bytes were not verified: $(cat out)"
"$inspect" bytes.onnx >out
grep -qE '^  opset +int +17$' out || fail "no opset 17: $(cat out)"
grep -qE '^  input images +uint8 +batchxheightxwidthx3$' out || fail "no bytes: $(cat out)"

# Other channels: the file declares them.
"$untrained" $spec,channels=5 'resize:size=32|center_crop:size=32|to_tensor|normalize:mean=0.5,std=0.5' five.pth.tar 0
"$export" five.pth.tar --to=onnx --out=five.onnx >out || fail "five channels: $(cat out)"
"$inspect" five.onnx | grep -qE '^  input images +float32 +batchx5xheightxwidth$' || fail "not five: $("$inspect" five.onnx)"
"$export" five.pth.tar --to=safetensors --out=five || fail "five channels, safetensors"

# A network that is another one than its names or --arch say, in every format and without --verify. The files are made
# of one that fits: change FILE OUT EXPRESSION, which changes h, the header, and d, the tensors' bytes.
change() {
  python3 - "$@" <<'PYTHON' || fail "change $*"
import json, struct, sys
data = open(sys.argv[1], "rb").read()
size = struct.unpack("<Q", data[:8])[0]
h, d = json.loads(data[8:8 + size]), data[8 + size:]
exec(sys.argv[3])
text = json.dumps(h).encode()
open(sys.argv[2], "wb").write(struct.pack("<Q", len(text)) + text + d)
PYTHON
}
change safetensors squeeze 'h["layer1.0.se.weight"] = {"dtype": "F32", "shape": [1], "data_offsets": [len(d), len(d) + 4]}; d += bytes(4)'
change safetensors group 'h = {(n.replace("running_mean", "other") if n.startswith("bn1") else n): v for n, v in h.items()}'
for to in torchvision safetensors detectron2 onnx timm; do
  refused 2 "'layer1.0.se.weight'" squeeze --to=$to --out=x --arch=$spec
  refused 2 "'bn1.running_mean'" group --to=$to --out=x --arch=$spec
  refused 2 "unknown backbone 'resnetaa50'" safetensors --to=$to --out=x --arch=resnetaa50
  refused 2 "give --arch=$spec,channels=5" five --to=$to --out=x --arch=$spec
done
refused 2 "give --arch=$spec" safetensors --to=onnx --out=x --arch=$spec,stem=imagenet
refused 2 'leave them out' encoder.pth.tar --to=torchvision --out=x --opset=17
refused 2 'leave them out' encoder.pth.tar --to=timm --out=x --with-preprocessing
refused 2 '--to=onnx' encoder.pth.tar --to=timm --out=x  # the formats that serve

# timm: the folder is whole or absent, and never replaced.
eval_views='resize:size=37|center_crop:size=32|to_tensor|normalize:mean=0.1 0.2 0.3,std=0.4'
"$untrained" resnet18 "$eval_views" r18.pth.tar 0 || fail "no ResNet-18"
"$export" r18.pth.tar --to=timm --out=r18/ --verify >out || fail "timm: $(cat out)"
grep -q '^verified' out || fail "timm was not verified: $(cat out)"
[[ $(ls -A r18 | sort | paste -sd ' ') == 'README.md config.json model.safetensors' ]] || fail "files: $(ls -A r18)"
[[ $(echo r18*) == 'r18 r18.pth.tar' ]] || fail "left behind: $(echo r18*)"
python3 - <<'PYTHON' || fail "config.json: $(cat r18/config.json)"
import json, math
c = json.load(open("r18/config.json"))
p = c["pretrained_cfg"]
assert (c["architecture"], c["num_classes"], c["num_features"]) == ("resnet18", 0, 512), c
assert (p["input_size"], p["mean"], p["std"]) == ([3, 32, 32], [0.1, 0.2, 0.3], [0.4] * 3), p
assert (p["first_conv"], p["classifier"], p["interpolation"]) == ("conv1", "fc", "bilinear"), p
assert math.floor(32 / p["crop_pct"]) == 37, p
PYTHON
grep -q 'local-dir:' r18/README.md && grep -q '^license: ' r18/README.md || fail "card: $(cat r18/README.md)"
refused 4 'exists already' r18.pth.tar --to=timm --out=r18
refused 2 'No such file' r18.pth.tar --to=timm --out=absent/x
refused 2 'give --eval-views' r18.pth.tar --to=timm --out=x --eval-views='center_crop:size=32|to_tensor|normalize'
mkdir empty && "$export" r18.pth.tar --to=timm --out=empty --eval-views='resize:size=40|center_crop:size=40|to_tensor' >out || fail "$(cat out)"
grep -q '"crop_pct": 1.0' empty/config.json || fail "config.json: $(cat empty/config.json)"
refused 2 "'model.safetensors'" empty --to=torchvision --out=x  # a folder names the file in it

# A classifier, and run folders.
mkdir -p run/checkpoints && cp encoder.pth.tar run/checkpoints/checkpoint_0000.pth.tar
"$export" run --to=torchvision --out=again >out || fail "run folder: $(cat out)"
cmp torchvision again || fail "the run folder's checkpoint is another one"
"$lincls" --pretrained=run --epochs=1 --threads=1 --run-dir=linear >out 2>&1 || fail "lincls: $(cat out)"
for to in torchvision safetensors onnx; do
  "$export" linear --to=$to --out=classifier.$to --verify >out || fail "a classifier to $to: $(cat out)"
  grep -q 'the logits of 8 images' out || fail "$to: no logits: $(cat out)"
  "$inspect" classifier.$to | grep -qE '^  fc.weight +float32 +10x16 ' || fail "no fc: $("$inspect" classifier.$to)"
done
[[ $(wc -l <classifier.torchvision.classes.txt) == 10 ]] || fail "no names of classes"
grep -q '^airplane$' classifier.torchvision.classes.txt || fail "classes: $(cat classifier.torchvision.classes.txt)"
"$inspect" classifier.onnx | grep -qE '^  classes +text +\["airplane' || fail "classes: $("$inspect" classifier.onnx)"
"$inspect" classifier.onnx | grep -qE '^  output logits +float32 +batchx10$' || fail "logits: $("$inspect" classifier.onnx)"
"$inspect" classifier.safetensors | grep -q 'airplane' || fail "classes: $("$inspect" classifier.safetensors)"
"$export" linear --to=detectron2 --out=classifier.pkl >out || fail "a classifier to detectron2: $(cat out)"
grep -q 'without fc' out || fail "detectron2: $(cat out)"

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
[[ ! -e x && ! -e x.classes.txt ]] || fail "a refused export has left a file"
echo PASSED
