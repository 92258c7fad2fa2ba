#!/bin/bash
# Runs that are killed (SIGKILL) at random moments and go on, again and again, end with the weights of a run that
# was not, bit for bit, and with its metrics. The last argument is the number of kills:
#
#   bazel test --test_arg=500 --test_timeout=3600 --test_output=all //tests/end_to_end:kill_test
. tests/end_to_end/lib.sh
wanted=${*: -1}
RANDOM=1

# A damaged image, which counts once in a run's life; kNN, so that there is something to do between epochs; and a
# checkpoint after each step.
unpack data 26
cp -r data/train data/val
head -c 500 "$(find data/train -name '*.jpg' | sort | head -n 1)" > data/train/cat/cut.jpg
each_step=(--checkpoint-minutes=0.000001 --keep=2)
new=(data "${small[@]}" "${each_step[@]}" --epochs=6 --batch-size=32 --moco-k=64 --knn-every=2 --knn-k=5
     --max-bad-images=1)

milliseconds() { date +%s%3N; }
began=$(milliseconds)
"$pretrain" "${new[@]}" --run-dir=straight > out 2>&1 || fail "straight: $(cat out)"
length=$(($(milliseconds) - began)) # of a run that is not killed, with its start
last=checkpoints/checkpoint_0005.pth.tar

kills=0 runs=0
while [ $kills -lt "$wanted" ]; do
  rm -rf killed
  for ((lives = 1;; ++lives)); do
    go_on=("${new[@]}" --run-dir=killed)
    ls killed/checkpoints/*.pth.tar > /dev/null 2>&1 && go_on=(--resume=killed)
    "$pretrain" "${go_on[@]}" > out 2>&1 &
    # Up to 0.6 of a run's length; longer and longer where the machine has become slow.
    delay=$((RANDOM * length * (6 + lives / 10) / 10 / 32768))
    sleep "$(printf '%d.%03d' $((delay / 1000)) $((delay % 1000)))"
    kill -KILL $! 2> /dev/null
    wait $! 2> /dev/null
    code=$?
    [ $code -eq 0 ] && break
    [ $code -eq 137 ] || fail "exit code $code after $kills kills: $(cat out)"
    kills=$((kills + 1))
    [ $lives -lt 300 ] || fail "300 kills and no end"
  done
  cmp straight/$last killed/$last || fail "other weights after $lives kills"
  diff <(timeless straight) <(timeless killed) || fail "other metrics after $lives kills"
  [ "$(wc -l < killed/bad_images.txt)" -eq 1 ] || fail "bad images: $(cat killed/bad_images.txt)"
  find killed -name '*.part-*' | grep -q . && fail "temporary files: $(find killed)"
  runs=$((runs + 1))
done
echo "PASSED: $kills kills in $runs runs of $length ms"
