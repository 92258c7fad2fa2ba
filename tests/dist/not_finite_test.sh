#!/bin/bash
# A loss that is not finite on one rank: all stop at that step, and none saves what comes after it.
. tests/dist/lib.sh
with_faults

unpack data 32
run=(data/train "${small[@]}" --batch-size=66 --epochs=100 --views="${views/normalize/normalize|poison}"
     --monitor-every=0 --checkpoint-minutes=0.000001 --run-dir=run) # 44 views a step and rank
choose_url
for rank in 0 2; do start_rank $rank 3 "${run[@]}"; done
POISON=nan:176 start_rank 1 3 "${run[@]}"
# Its keys' batches are other ranks', so that they may have no loss either.
ended 0 5 '^error: the loss of rank [012] is nan at step 4; .* no checkpoint follows'
ended 1 5 ''
ended 2 5 ''
[ -e run/checkpoints/checkpoint_0000.pth.tar ] || fail "none of the 4 steps before: $(ls run/checkpoints)"
ls run/checkpoints/checkpoint_0001* 2> /dev/null && fail "a checkpoint of the fifth"
echo PASSED
