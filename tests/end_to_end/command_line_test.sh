#!/bin/bash
# The command lines of both programs.
. tests/end_to_end/lib.sh
usage=2

# --- Help: every flag has its theme ---
for program in "$pretrain" "$lincls"; do
  "$program" --help > help.txt 2> help.err || fail "$program --help: exit code $?, $(cat help.err)"
  [ ! -s help.err ] || fail "$program --help says on stderr: $(cat help.err)"
  for theme in data views encoder optimisation run monitor machine program; do
    grep -qx "$theme:" help.txt || fail "$program --help has no '$theme:'"
  done
  grep -q '^  --learning-rate, --lr (' help.txt || fail "$program --help: --lr"
  grep -q ' --data=../dataset --epochs=' help.txt || fail "$program --help: the preset unlabeled96"
done

# settings FLAG...: what the flags of pretrain make, in full.
settings() { "$pretrain" --print-config "$@" > settings.txt || fail "--print-config $*"; }
# has LINE...: the settings have these lines.
has() {
  for line in "$@"; do grep -qxF -- "$line" settings.txt || fail "no $line in: $(cat settings.txt)"; done
}

# --- The reference's flags, defaults and expansions ---
v1='random_resized_crop:size=224,scale_min=0.2,scale_max=1,ratio_min=0.75,ratio_max=1.3333333333333333'
settings DIR
has --arch=resnet50:stem=imagenet,channels=3 --workers=32 --epochs=200 --start-epoch=0 --batch-size=256 --lr=0.03 \
  '--lr-schedule=step:at=120 160,factor=0.1,warmup=0' --optimizer=sgd:momentum=0.9,weight_decay=1e-04 --print-freq=10 \
  --moco-k=65536 --moco-m=0.999 --head=linear:dim=128 --loss=info_nce:temperature=0.07 "--data=$PWD/DIR"
settings DIR --schedule 60 80 --momentum .8 --wd 1 --moco-t 1 --moco-dim 64
has '--lr-schedule=step:at=60 80,factor=0.1,warmup=0' --optimizer=sgd:momentum=0.8,weight_decay=1 --head=linear:dim=64 \
  --loss=info_nce:temperature=1
settings DIR --schedule=60,80 --batch 8 -j4 -p 3 --learning 2
has '--lr-schedule=step:at=60 80,factor=0.1,warmup=0' --batch-size=8 --workers=4 --print-freq=3 --lr=2
settings -a resnet50 --lr 0.06 --batch-size 512 --epochs 200 --dist-url tcp://localhost:10004 \
  --multiprocessing-distributed --world-size 1 --rank 0 -data DIR --mlp --moco-t 0.2 --aug-plus --cos --workers 4 \
  --checkpoint_dir "$PWD/checkpoints/moco"
has "--data=$PWD/DIR" --workers=4 --lr=0.06 --batch-size=512 --head=mlp:dim=128 --loss=info_nce:temperature=0.2 --lr-schedule=cosine:warmup=0,per_step=false
grep -q '^--views=.*gaussian_blur' settings.txt || fail "--aug-plus: $(cat settings.txt)"

settings DIR --optimizer=adamw --lr-schedule=cosine:warmup=10,per_step=true --accumulate=4
has --optimizer=adamw:beta1=0.9,beta2=0.999,eps=1e-08,weight_decay=0.01 --accumulate=4 \
  --lr-schedule=cosine:warmup=10,per_step=true

# argparse takes a name that is cut short when one option of main_moco.py begins so. These cuts stay clear with the flags
# that were added since.
settings --dat DIR --ar resnet50 --work 4 --ep 9 --sta 0 --ba 32 --le 1 --sc 3 --mom .5 --wei 0 --print-f 7 --worl 1 --ra 0 \
  --dist-u tcp://localhost:10004 --dist-b gloo --se 1 --g 0 --mu --moco-d 64 --ml --au --co
has "--data=$PWD/DIR" --workers=4 --epochs=9 --batch-size=32 --lr=1 --print-freq=7 --seed=1 --head=mlp:dim=64 \
  --lr-schedule=cosine:warmup=0,per_step=false --optimizer=sgd:momentum=0.5,weight_decay=0

# --- What is printed makes the same again ---
cp settings.txt v2.txt
settings --flagfile=v2.txt
cmp v2.txt settings.txt || fail "a flagfile of settings makes others"
refused $usage "--moco-t has no effect.* --loss" "$pretrain" --flagfile=v2.txt --moco-t=1

# --- Output that is lost is an error, unless nobody reads it ---
"$pretrain" --print-config DIR 2> full.err > /dev/full
[ $? -eq 4 ] || fail "--print-config to a full disk: exit code $?"
grep -q '^error: .*stdout.*No space left' full.err || fail "--print-config to a full disk: $(cat full.err)"
"$pretrain" --print-config DIR 2> closed.err >&- || fail "--print-config to a closed stdout: $(cat closed.err)"

# --- Presets ---
settings --preset=unlabeled96 --epochs=7
has "--data=$PWD/../dataset" --epochs=7 --print-freq=500 --head=mlp:dim=128
grep -q '^--views=random_resized_crop:size=96,' settings.txt || fail "unlabeled96: $(cat settings.txt)"
settings
cp settings.txt demo.txt
settings --preset=demo
cmp demo.txt settings.txt || fail "no data is not the preset demo"
settings DIR --preset=demo
diff demo.txt settings.txt > difference.txt
[ "$(grep -c '^>' difference.txt)" -eq 1 ] || fail "the preset demo with data: $(cat difference.txt)"
refused $usage "unknown preset 'unlabelled96'; did you mean 'unlabeled96'" "$pretrain" --preset=unlabelled96

# --- What has no effect here is said ---
unpack data 8
said() { grep -q -- "$1" out || fail "not said: $1, but: $(cat out)"; }
"$pretrain" "${small[@]}" data --epochs=3 --start-epoch=2 --run-dir=one --gpu 0 --multiprocessing-distributed \
  --world-size 1 --rank 0 --dist-url tcp://localhost:10004 --dist-backend gloo --workers 4000 > out || fail "$(cat out)"
said '^note .*--workers=4000 .*core'
! grep -q 'launcher' out || fail "no launcher has started this: $(cat out)"
said '^note .*--gpu, --multiprocessing-distributed, --world-size, --rank, --dist-url, --dist-backend: .*single process'
said '^epoch 3/3 '
said '^moco .*temperature=0.2'
WORLD_SIZE=4 "$pretrain" "${small[@]/--moco-t=0.2/--loss=info_nce:temperature=0.3}" data --epochs=1 --run-dir=two > out ||
  fail "$(cat out)"
said '^moco .*temperature=0.3'
said '^note .*WORLD_SIZE=4: .*//dist:pretrain_ddp'
! grep '^moco ' out | grep -q '0\.07' || fail "the temperature of a flag that --loss replaces: $(cat out)"
! grep -q '^epoch 2/3 \|bn-splits=1:' out || fail "$(cat out)"

# --- A device that is not there is not replaced in silence ---
for program in "$pretrain" "$lincls"; do
  refused $usage "CUDA.*give --device=cpu" "$program" data --device=cuda --run-dir=refused
  refused $usage "device is 'gpu', must be cpu or cuda" "$program" data --device=gpu --run-dir=refused
done
[ ! -e refused ] || fail "a refused run left a folder"

# --- A run in micro-batches by another optimizer stops and goes on; another one does not take its state ---
lars=("${small[@]}" data -b 16 --accumulate=2 --bn-splits=2 --optimizer=lars --lr=1 --lr-schedule=cosine:warmup=1,per_step=true)
"$pretrain" "${lars[@]}" --run-dir=whole --epochs=3 --nocos > out || fail "$(cat out)"
"$pretrain" "${lars[@]}" --run-dir=again --epochs=3 --nocos --resume=whole/checkpoints/checkpoint_0000.pth.tar > out || fail "$(cat out)"
cmp whole/checkpoints/checkpoint_0002.pth.tar again/checkpoints/checkpoint_0002.pth.tar || fail "resumed: other weights"
refused $usage "its optimizer has no 'step'.*--arch.*--optimizer" \
  "$pretrain" "${lars[@]}" --epochs=3 --nocos --optimizer=adamw --resume=whole/checkpoints/checkpoint_0000.pth.tar
refused $usage "--batch-size 16 cannot be split into --accumulate 3 micro-batches" "$pretrain" "${lars[@]}" --accumulate=3 --nocos

# --- The linear classifier ---
cp -r data/train data/val
linear=(-a resnet_small:width=8,blocks=1,stages=2 -data data --lr 30.0 --batch-size 16
        --pretrained whole/checkpoints/checkpoint_0002.pth.tar --dist-url tcp://localhost:10001
        --multiprocessing-distributed --world-size 1 --rank 0)
"$lincls" "${linear[@]}" --schedule 1 2 --print-config > settings.txt || fail "lincls --print-config"
has --arch=resnet_small:width=8,blocks=1,stages=2,stem=cifar,channels=3 --lr=30 --batch-size=16 --epochs=100 '--schedule=1 2' \
  --momentum=0.9 --weight-decay=0 --print-freq=10 "--data=$PWD/data"
"$lincls" --flagfile=settings.txt --print-config > again.txt
cmp settings.txt again.txt || fail "a flagfile of lincls' settings makes others"
"$lincls" "${linear[@]}" --schedule=1,2 --epochs 3 --start-epoch 2 --run-dir=linear > out || fail "$(cat out)"
said '^training 3 epochs, batch 16, lr 30 step:at=1 2,'
said '^note .*--multiprocessing-distributed, --world-size, --rank, --dist-url: .*single process'
said 'epoch 3/3 .*Acc@1'
! grep -q 'epoch 2/3 ' out || fail "--start-epoch 2: $(cat out)"
refused $usage "--lr is nan, must be a finite number" "$lincls" "${linear[@]}" --lr nan
refused $usage "unknown flag --shedule; did you mean --schedule?" "$lincls" "${linear[@]}" --shedule 1

# --- Refused ---
refused $usage "--lr is nan, must be a finite number" "$pretrain" DIR --lr nan
refused $usage "--moco could be --moco-dim, --moco-k, --moco-m, --moco-t" "$pretrain" DIR --moco 3
refused $usage "start-epoch is 200, must be 0 to 199" "$pretrain" DIR --start-epoch 200
echo PASSED
