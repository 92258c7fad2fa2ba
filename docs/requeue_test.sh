#!/bin/bash
# docs/slurm/requeue.sh with a fake srun and scontrol: when a job is requeued, and the script's exit code.
set -uo pipefail

requeue=$PWD/docs/slurm/requeue.sh
cd "$TEST_TMPDIR" || exit 1
mkdir bin
printf '#!/bin/sh\nexec "$@"\n' > bin/srun
printf '#!/bin/sh\necho "$*" > requeued\n' > bin/scontrol
chmod +x bin/*
cat > program << 'PROGRAM'
trap 'exit $1' USR1
touch started
[ "$2" = waits ] || exit "$1"
while :; do sleep 0.05; done
PROGRAM
failures=0

# expect REQUEUED CODE waits|ends: a program that ends with CODE, when the signal comes or at once.
expect() {
  rm -f started requeued
  PATH=$PWD/bin:$PATH SLURM_JOB_ID=7 bash -c '. "$0"; run_or_requeue bash program "$@"' "$requeue" "$2" "$3" &
  local script=$! code
  until [ -e started ]; do sleep 0.05; done
  sleep 0.2 # until the script, too, waits
  [ "$3" = ends ] || kill -USR1 $script
  wait $script
  code=$?
  [ $code -eq "$2" ] && [ "$(cat requeued 2> /dev/null)" = "$1" ] && return
  echo "FAILED: $*: exit code $code, requeued: $(cat requeued 2> /dev/null)"
  failures=1
}

expect "requeue 7" 138 waits # a checkpoint was written
expect "requeue 7" 1 waits   # a launcher with a code of its own
expect "" 0 waits            # done just in time
expect "requeue 7" 138 ends  # the signal went to the program alone
expect "" 1 ends
expect "" 0 ends
exit $failures
