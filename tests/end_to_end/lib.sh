# Functions that the end-to-end tests share: paths of the programs, small settings, and checks of errors.
set -u

pretrain=$PWD/moco/pretrain
lincls=$PWD/lincls/lincls
demo=$PWD/data/demo
cd "$TEST_TMPDIR" || exit 1

# A run that takes seconds: a tiny encoder on views of 16 x 16 pixels.
views='random_resized_crop:size=16,scale_min=0.2|flip|color_jitter:p=0.8,brightness=0.4|to_tensor|normalize'
eval_views='resize:size=16|center_crop:size=16|to_tensor|normalize'
small=(--arch=resnet_small:width=8,blocks=1,stages=2 --mlp --moco-dim=16 --moco-k=256 --moco-m=0.99
       --moco-t=0.2 --bn-splits=2 --batch-size=64 --epochs=2 --cos --views="$views"
       --eval-views="$eval_views" --threads=1 --workers=1 --print-freq=1)

fail() {
  echo "FAILED: $*"
  exit 1
}

# unpack FOLDER N: the first N training images of each class of the demo, as files.
unpack() {
  mkdir -p "$1/all" && tar xf "$demo/train/train-0.tar" -C "$1/all" || fail "cannot unpack the demo"
  for class in "$1"/all/*; do
    mkdir -p "$1/train/${class##*/}"
    for image in $(ls "$class" | head -n "$2"); do mv "$class/$image" "$1/train/${class##*/}/"; done
  done
  rm -r "$1/all"
}

# refused CODE PATTERN COMMAND...: checks that the command exits with CODE and one line on stderr, which matches PATTERN
# (a basic regular expression) and has no stack trace.
refused() {
  local code=$1 pattern=$2
  shift 2
  "$@" > refused.out 2> refused.err
  local got=$?
  [ $got -eq "$code" ] || fail "exit code $got, not $code, of: $* ($(cat refused.out refused.err))"
  [ "$(wc -l < refused.err)" -eq 1 ] || fail "not one line on stderr, of: $* ($(cat refused.err))"
  grep -q "^error: .*$pattern" refused.err || fail "no '$pattern' in: $(cat refused.err)"
}

# timeless RUN: prints its metrics without those that depend on the speed of the machine.
timeless() { sed -E 's/"(pairs_per_second|images_per_second|waiting)":[^,}]*//g' "$1/metrics.jsonl"; }

# losses RUN: prints the loss of every step.
losses() { grep -o '"loss":[^,}]*' "$1/metrics.jsonl" | cut -d: -f2; }

# mean FROM TO: prints the mean of lines FROM to TO of stdin.
mean() { sed -n "$1,$2p" | awk '{ sum += $1 } END { printf "%.4f", sum / NR }'; }
