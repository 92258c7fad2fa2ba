#!/bin/bash
# What pretrain shows before a run: the views, the plan, a learning rate. Nothing else is left behind.
. tests/end_to_end/lib.sh

unpack data 8
tiny=("${small[@]}" --batch-size=16 --moco-k=32)
said() { grep -q -e "$1" out || fail "no '$1' in: $(cat out)"; }
# nothing_left FILES...: only these are new in the folder.
before=$(ls)
nothing_left() {
  local now
  now=$(ls | grep -v -e "^out$" -e "^refused")
  [ "$now" = "$(printf '%s\n' $before "$@" | grep -v -e "^out$" -e "^refused" | sort)" ] || fail "left behind: $now"
}

# --- The views, as a page and as a picture ---
"$pretrain" data "${tiny[@]}" --preview=views.html > out 2>&1 || fail "$(cat out)"
said "^preview  .*views.html"
grep -q "base64," views.html || fail "no pictures"
grep -q "after color_jitter" views.html || fail "not each step"
"$pretrain" data "${tiny[@]}" --preview=views.png > out 2>&1 || fail "$(cat out)"
head -c 4 views.png | grep -q PNG || fail "no PNG file"
# A batch need not be possible, and the data may be anything that pretrain reads.
"$pretrain" data --preview=large.PNG > out 2>&1 || fail "$(cat out)"
# The same seed, the same views.
"$pretrain" data "${tiny[@]}" --preview=again.png > out 2>&1 || fail "$(cat out)"
cmp views.png again.png || fail "other views"
nothing_left again.png large.PNG views.html views.png
rm again.png large.PNG

# --- The plan ---
"$pretrain" data "${tiny[@]}" --epochs=7 --dry-run > out 2>&1 || fail "$(cat out)"
said "^training 7 epochs, batch 16"
said "^memory   about .* of the machine's "
said "^disk     7 checkpoints of "
said "^time     about .* for 7 epochs of 5 steps"
tail -n 1 out | grep -q '^{"memory":.*"checkpoints":7,"steps":35,"steps_per_epoch":5,"seconds":.*"tried_steps":' ||
  fail "no JSON at the end: $(cat out)"
tail -n 1 out | grep -q '"tried_images":16[,}]' || fail "the steps are not of the run's batch: $(cat out)"
refused 2 "a batch of 1024 cannot be filled" "$pretrain" data "${tiny[@]}" --batch-size=1024 --dry-run
mkdir empty
"$pretrain" data "${tiny[@]}" --run-dir=empty --dry-run > out 2>&1 || fail "$(cat out)"
rmdir empty || fail "a dry run has written to the run folder"
nothing_left views.html views.png

# Of a run that resumes, the rest; what would be refused is refused.
"$pretrain" data "${tiny[@]}" --epochs=2 --run-dir=run > out 2>&1 || fail "$(cat out)"
"$pretrain" --resume=run --epochs=6 --dry-run > out 2>&1 || fail "$(cat out)"
said "^time     about .* for 4 epochs of 5 steps"
refused 4 "contains checkpoints.*--resume" "$pretrain" data "${tiny[@]}" --run-dir=run --dry-run
refused 2 "--find-lr.*--resume" "$pretrain" --resume=run --epochs=6 --find-lr=lr.html
"$pretrain" --resume=run --preview=resumed.png > out 2>&1 || fail "$(cat out)"
cmp views.png resumed.png || fail "not the views of the run"
rm -r run resumed.png

# --- A learning rate ---
"$pretrain" data "${tiny[@]}" --find-lr=lr.html > out 2>&1 || fail "$(cat out)"
said "^find-lr  at most 142 steps"
said "^cost     .* steps, .* images"
said "^suggest  --lr="
lr=$(sed -n 's/^suggest  --lr=\([^ ]*\) .*/\1/p' out)
grep -q "<code>--lr=$lr</code>" lr.html || fail "another rate on the page"
nothing_left lr.html views.html views.png
# Weights that a run starts from, micro-batches, both directions
"$pretrain" data "${tiny[@]}" --run-dir=run --epochs=1 > out 2>&1 || fail "$(cat out)"
"$pretrain" data "${tiny[@]}" --init=run --accumulate=2 --symmetric --find-lr=init.html > out 2>&1 || fail "$(cat out)"
said "^find-lr  at most 141 steps"
rm -r run init.html
# With such a temperature nothing is learnt: the loss falls at no rate, and the page shows it.
refused 5 "no learning rate.*--preview.*--moco-t" "$pretrain" data "${tiny[@]}" --moco-t=1000 --find-lr=hot.html
grep -q "No suggestion" hot.html || fail "no page"
rm hot.html

# --- Refused before the first batch ---
refused 2 "views.jpg.*must end with .html or .png" "$pretrain" data "${tiny[@]}" --preview=views.jpg
refused 2 "must end with .html" "$pretrain" data "${tiny[@]}" --find-lr=lr.png
refused 4 "already exists.*--preview" "$pretrain" data "${tiny[@]}" --preview=views.html
refused 2 "nowhere.*--find-lr" "$pretrain" data "${tiny[@]}" --find-lr=nowhere/lr.html
refused 2 "--preview and --dry-run.*one" "$pretrain" data "${tiny[@]}" --preview=new.html --dry-run
refused 2 "no_such_step" "$pretrain" data "${tiny[@]}" --views='no_such_step|to_tensor' --preview=new.html
refused 2 "must contain a crop" "$pretrain" data "${tiny[@]}" --views='flip|to_tensor' --preview=new.html
nothing_left lr.html views.html views.png
echo PASSED
