#!/bin/bash
# A checkpoint's save, killed at each of its system calls, and with an error from each: a run finds the old checkpoint
# or the new one, whole. Both programs save by the same function.
set -u
saves=$PWD/tests/faults/saves
cd "$TEST_TMPDIR" || exit 1

fail() {
  echo "FAILED: $*"
  exit 1
}

strace -o /dev/null true || {
  [ -x "$(command -v strace)" ] || fail "no strace; run ./tools/setup.sh"
  echo "SKIPPED: this machine lets no process trace another"
  exit 0
}

files=openat,write,fsync,close,rename,unlink,mkdir,newfstatat,getdents64

# disturb FAULT NAME: saves under NAME, each with FAULT at another call (saves.cc); in `outcomes` is a line for each
# case: exit code, what is found, the call's number in Linux.
disturb() {
  rm -rf folder
  "$saves" prepare folder || fail "prepare"
  strace -f -qq -o /dev/null -e trace=$files -e "inject=$files:$1:when=250" "$saves" save folder "$2" > exits ||
    fail "$1: $(cat exits)"
  "$saves" check folder > found || fail "check after $1"
  paste -d' ' exits found > outcomes
  echo "$1, as $2: $(cut -d' ' -f1,2 outcomes | sort | uniq -c | tr -s ' \n' ' ')"
  # Of each kind there are more cases than calls.
  tac outcomes | sort -u -k3,3 -s | grep -v '^0 new' && fail "a save makes more calls than there are cases"
}

for name in checkpoint_0001.pth.tar checkpoint_0000.pth.tar; do # beside the old one, and over it
  disturb signal=SIGKILL $name
  grep -vE '^(killed (old|new)\+?|0 new) ' outcomes && fail "killed"
  [ "$(grep -c '^killed old' outcomes)" -ge 40 ] || fail "the kills have not hit the save"
  grep -q '^killed new' outcomes || fail "no kill after the new one had its name"
  # An error is reported, and what was reported as written is there. Nothing half is left.
  for error in ENOSPC EIO; do
    disturb error=$error $name
    grep -vE '^(1 (old|new)|0 new) ' outcomes && fail "$error"
    [ "$(grep -c '^1 old' outcomes)" -ge 35 ] || fail "the errors have not hit the save"
  done
done

# What a power cut must find: the file is on the disk before it has its name, and the name before the old one goes.
"$saves" prepare calm && strace -f -qq -o trace -e trace=fsync,rename,unlink "$saves" save calm \
  checkpoint_0001.pth.tar > /dev/null || fail "calm"
child=$(grep -m 1 rename trace | cut -d' ' -f1)
order=$(grep "^$child .* = 0" trace | grep -oE 'fsync|rename|unlink' | tr '\n' ' ')
[ "$order" = "fsync rename fsync unlink " ] || fail "the order is $order"
echo PASSED
