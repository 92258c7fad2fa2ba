#!/bin/bash
# What the monitor measures of an encoder does not depend on how many ranks measure it, and the probe changes
# nothing on any of them.
. tests/dist/lib.sh

unpack data 24
mkdir data/val
for class in data/train/*; do
  mkdir "data/val/${class##*/}"
  for image in $(ls "$class" | tail -n 10); do mv "$class/$image" "data/val/${class##*/}/"; done
done
# 140 training images, 100 to test with: both are dealt unevenly over 3 ranks.
run=(data "${small[@]}" --precision=fp64 --batch-size=48 --knn-every=1 --knn-k=5)

# monitored RUN: step, kNN and probe of each evaluation.
monitored() { grep '"knn":' "$1/metrics.jsonl" | grep -o '"\(knn\|probe\|step\)":[^,}]*' | paste -d, - - -; }
# measured RUN: the measures without labels, in the order of the evaluations.
measured() { grep -o '"\(rankme\|lidar\|alignment\|uniformity\)_[a-z]*":[^,}]*' "$1/metrics.jsonl" | cut -d: -f2; }

for ranks in 1 2 3; do
  on $ranks "${run[@]}" --bn-splits=$((6 / ranks)) --probe --run-dir=ranks$ranks
  [ "$(monitored ranks$ranks | grep -c '"probe":0\.[0-9]')" -eq 3 ] || fail "three evaluations: $(monitored ranks$ranks)"
done
# The untrained encoder is the same on all; later ones differ, since the running statistics are rank 0's.
for ranks in 2 3; do
  diff <(monitored ranks1 | head -n 1) <(monitored ranks$ranks | head -n 1) || fail "$ranks ranks measure something else"
  paste <(measured ranks1 | head -n 8) <(measured ranks$ranks | head -n 8) |
    awk '{ d = ($1 - $2) / ($1 > 1 ? $1 : 1); if (NF != 2 || d > 1e-5 || d < -1e-5) bad = 1 } END { exit bad || NR != 8 }' ||
    fail "$ranks ranks: $(measured ranks1 | head -n 8) and $(measured ranks$ranks | head -n 8)"
done

on 2 "${run[@]}" --bn-splits=3 --run-dir=plain
for checkpoint in plain/checkpoints/*; do
  cmp "$checkpoint" "ranks2/checkpoints/${checkpoint##*/}" || fail "--probe has changed $checkpoint"
done

# A run that goes on after an evaluation does not repeat it: only rank 0 has the file that says so.
on 2 --resume=ranks2 --epochs=3
[ "$(monitored ranks2 | wc -l)" -eq 4 ] || fail "evaluations of the run that went on: $(monitored ranks2)"

# Flags of the monitor are the same on all ranks, or the run does not begin.
choose_url
pids=()
start_rank 0 2 "${run[@]}" --bn-splits=1 --probe --run-dir=other
start_rank 1 2 "${run[@]}" --bn-splits=1 --run-dir=other
ended 0 2 "the same settings: --probe of rank 0 is 'true', of rank 1 'false'"
ended 1 2 ''
echo PASSED
