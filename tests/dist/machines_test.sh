#!/bin/bash
# Two machines, which are network namespaces with a cable between them: 2 + 2 ranks compute what 4 on one machine do,
# and when the cable is cut both sides end.
if [ -z "${APART-}" ]; then
  if ! unshare -Urn ip link add name veth_a type veth peer name veth_b 2> /dev/null; then
    echo "SKIPPED: this machine lets no test make networks"
    exit 0
  fi
  APART=1 exec unshare -Urn "$0"
fi
. tests/dist/lib.sh

unshare -n sleep 1000 & # the second machine
second=$!
until [ "$(readlink /proc/$second/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
there=(nsenter -t $second -n)
ip link add name cable type veth peer name cable netns $second && ip addr add 10.9.0.1/24 dev cable &&
  ip link set cable up && ip link set lo up || fail "the first machine"
"${there[@]}" ip addr add 10.9.0.2/24 dev cable && "${there[@]}" ip link set cable up &&
  "${there[@]}" ip link set lo up || fail "the second machine"

unpack data 32
# machines ARGUMENT...: starts a run on both; the reference's flags, and --nproc for a machine without GPUs.
machines() {
  local words=("$pretrain_ddp" data/train "${small[@]}" --precision=fp64 --checkpoint-minutes=0.000001 --keep=2 "$@"
    "${gloo[@]}" --multiprocessing-distributed --nproc=2 --world-size=2 --dist-url=tcp://10.9.0.1:23456)
  "${words[@]}" --rank=0 > out.0 2> err.0 &
  pids=($!)
  "${there[@]}" "${words[@]}" --rank=1 > out.1 2> err.1 &
  pids+=($!)
}
# The batch is a machine's: 32 + 32.
machines --batch-size=32 --epochs=5 --run-dir=two
wait "${pids[@]}" || fail "two machines: $(cat out.* err.*)"
on 4 data/train "${small[@]}" --precision=fp64 --epochs=5 --run-dir=one
same_losses one two

machines --batch-size=32 --epochs=1000 --run-dir=cut
steps cut 3
ip link set cable down
began=$(date +%s%N)
for machine in 0 1; do
  wait "${pids[machine]}"
  [ $? -eq 4 ] || fail "machine $machine: $(cat out.* err.*)"
  echo "cut: machine $machine has ended after $((($(date +%s%N) - began) / 1000000)) ms"
done
grep -q '^error: rank 2, 3 of 4 is lost: .* at step [0-9]*; ' err.0 || fail "machine 0 says $(cat err.0)"
grep -q '^error: rank [23]: rank 0 of 4, which serves the store, is lost: ' err.1 || fail "machine 1 says $(cat err.1)"
ls cut/checkpoints/*.pth.tar > /dev/null || fail "no checkpoint"
echo PASSED
