#!/bin/bash
# What the README says first: the demo, as a person runs it, and the accuracies that it ends with. Over seeds 1 to 3 the
# README has 46.4 to 47.0 % for kNN and 47.1 to 47.4 % for the classifier; the untrained encoder has 36 % at most.
. tests/end_to_end/lib.sh
unset OMP_NUM_THREADS # a person's run uses all cores

"$pretrain" > out 2> err || fail "the demo: $(cat err) $(tail -n 5 out)"
knn=$(sed -n 's/^epoch .* kNN \([0-9.]*\) %.*/\1/p' out | tail -n 1)
awk "BEGIN { exit !($knn >= 44) }" || fail "kNN ends at $knn %"
grep -q '^next: bazel run //lincls:lincls -- --pretrained=' out || fail "what to type next: $(tail -n 3 out)"

"$lincls" > out 2> err || fail "lincls: $(cat err) $(tail -n 5 out)"
best=$(sed -n 's/^best .*Acc@1 \([0-9.]*\) %.*/\1/p' out)
awk "BEGIN { exit !($best >= 46) }" || fail "the classifier ends at $best %"
echo "kNN $knn %, classifier $best %"
echo PASSED
