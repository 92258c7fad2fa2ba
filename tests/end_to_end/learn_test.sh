#!/bin/bash
# Real images: the loss falls once the queue is full, kNN is printed, and the run folder holds what it should.
. tests/end_to_end/lib.sh

unpack data 50
"$pretrain" data/train "${small[@]}" --epochs=5 --run-dir=run --lr=0.1 > out || fail "pretraining: $(cat out)"
first=$(losses run | mean 6 10) last=$(losses run | mean 31 35)
awk "BEGIN { exit !($last < $first - 0.05) }" || fail "the loss went from $first to $last"

for file in flags.txt environment.json settings.json report.html metrics.jsonl metrics.csv events.out.tfevents.* lock checkpoints/checkpoint_0004.pth.tar; do
  ls run/$file > /dev/null || fail "no run/$file"
done
[ "$(wc -l < run/metrics.csv)" = $(($(wc -l < run/metrics.jsonl) + 1)) ] || fail "metrics.csv has other rows"
for line in ' % of chance, .*: learning$' '^summary  5 epochs' '^  loss of an epoch '; do
  grep -q "$line" out || fail "no '$line' in: $(cat out)"
done
grep -q '"libtorch": "2.11.0"' run/environment.json || fail "environment: $(cat run/environment.json)"
for text in 'The run has ended: 35 steps, 5 epochs' '<b><code>--moco-k</code></b>' 'second view (key)' 'id="curves"'; do
  grep -qF -- "$text" run/report.html || fail "no '$text' in the report"
done

# The flagfile makes the same run.
"$pretrain" --flagfile=run/flags.txt --run-dir=again --report=false > /dev/null || fail "the flagfile"
cmp run/checkpoints/checkpoint_0004.pth.tar again/checkpoints/checkpoint_0004.pth.tar || fail "another run"
cmp run/flags.txt again/flags.txt || fail "other flags"
[ ! -e again/report.html ] || fail "a report that nobody wants"

# The demo's own settings, but few of its steps: what a person sees first.
"$pretrain" --epochs=1 --arch=resnet_small:width=4,blocks=1 --threads=1 > out || fail "the demo: $(cat out)"
for line in 'data .*CIFAR-10' 'encoder ' 'needs .* of memory' 'kNN .*untrained' 'loss .*kNN' \
            'checkpoints are in' 'next: bazel run //lincls:lincls'; do
  grep -q "$line" out || fail "no '$line' in: $(cat out)"
done
[ -d runs ] || fail "no ./runs where the person stands"
echo PASSED
