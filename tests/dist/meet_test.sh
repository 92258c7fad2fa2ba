#!/bin/bash
# How ranks come together, and what they say when one does not, or is another than the others.
. tests/dist/lib.sh

unpack data 16
run=("${small[@]}" --batch-size=64 --epochs=1 data/train)

# Late, and never.
choose_url
for rank in 0 2; do start_rank $rank 3 "${run[@]}" --batch-size=66 --run-dir=late; done
sleep 1
start_rank 1 3 "${run[@]}" --batch-size=66 --run-dir=late
for rank in 0 1 2; do ended $rank 0 ''; done
gloo+=(--dist-timeout=5)
choose_url
for rank in 0 2; do start_rank $rank 3 "${run[@]}" --batch-size=66 --run-dir=never; done
for rank in 0 2; do ended $rank 4 "^error: rank 1 of 3 did not come to $url within 5 s"; done
[ ! -e never ] || fail "a refused run left a folder"

# At the wrong place.
choose_url
start_rank 1 2 "${run[@]}"
ended 1 4 "^error: rank 1 cannot reach the store of rank 0 at $url within 5 s"
url=tcp://nowhere.invalid:23456
start_rank 1 2 "${run[@]}"
ended 1 4 "^error: rank 1 cannot reach the store of rank 0 at $url"
gloo+=(--dist-timeout=10)
start 2 "${run[@]}" --epochs=1000 --run-dir=first
steps first 1
first=("${pids[@]}")
start_rank 0 2 "${run[@]}" --run-dir=second
ended 0 4 "^error: rank 0 cannot serve the store at $url: Address already in use"
kill -TERM "${first[0]}" && wait "${first[@]}"

# In a file, whose path may have a comma in it.
mkdir "shared, disk"
url="file://$PWD/shared, disk/a"
for rank in 0 1; do start_rank $rank 2 "${run[@]}" --batch-size=64 --run-dir=file; done
for rank in 0 1; do ended $rank 0 ''; done

# Machines that run different numbers of ranks.
choose_url
for rank in 0 1 2; do
  RANK=$rank WORLD_SIZE=3 LOCAL_RANK=$((rank % 2)) LOCAL_WORLD_SIZE=$((rank == 2 ? 1 : 2)) \
    MASTER_ADDR=127.0.0.1 MASTER_PORT=${url##*:} "$pretrain_ddp" "${run[@]}" "${gloo[@]}" > out.$rank 2> err.$rank &
  pids[rank]=$!
done
ended 0 2 '^error: the machines run different numbers of ranks: .*rank 0 runs 2, .*rank 2 runs 1; '
for rank in 1 2; do ended $rank 2 ''; done

# What is shown before a run is made by one process.
for look in --dry-run --find-lr=new.html; do
  start 2 "${run[@]}" $look
  ended 0 2 "^error: ${look%=*} works in one process"
  ended 1 2 ''
done

# With another flag, or other images: said once, before anything is written.
cp -r data/train fewer && rm "$(find fewer -name '*.jpg' | head -n 1)"
differ() {
  choose_url
  start_rank 0 2 "${run[@]}" --run-dir=differ
  start_rank 1 2 "${run[@]/data\/train/${images-data\/train}}" --run-dir=differ "${@:2}"
  ended 0 2 "$1"
  ended 1 2 ''
  [ ! -e differ ] || fail "a refused run left a folder"
}
differ "^error: .* --lr of rank 0 is '0.03', of rank 1 '0.06'" --lr=0.06
differ "^error: .* --batch-size of rank 0 is '64', of rank 1 '32'" --batch-size=32
differ "^error: .* --seed of rank 0 is '0', of rank 1 '1'" --seed=1
differ "^error: .* --views of rank 0 is 'random_resized_crop:size=16.*, of rank 1 'flip" --views="flip|$views"
differ "^error: .* --knn-t of rank 0 is '0.1', of rank 1 '0.2'" --knn-t=0.2
differ "^error: .* --checkpoint-minutes of rank 0 is '15', of rank 1 '0'" --checkpoint-minutes=0
differ "^error: .* --print-config of rank 0 is 'false', of rank 1 'true'" --print-config
images=fewer differ "^error: .* --data of rank 0 is '160 images', of rank 1 '159 images'"

# What is everybody's is said once, and what is one's own with its rank; the others hear it.
choose_url
for rank in 0 1; do start_rank $rank 2 "${run[@]}" --batch-size=63; done
ended 0 2 '^error: --batch-size 63 cannot be split into equal shares of 2 ranks'
ended 1 2 ''
choose_url
start_rank 0 2 "${run[@]}"
start_rank 1 2 "${run[@]/data\/train/nowhere}"
ended 0 4 "^error: rank 1 has ended: .*nowhere.*, before the first step"
ended 1 2 "^error: rank 1: .*nowhere'"
echo PASSED
