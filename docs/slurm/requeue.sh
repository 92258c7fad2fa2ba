# Sourced by the job scripts. A job that has run into its time limit goes back to the queue and goes on.

# run_or_requeue COMMAND...: runs COMMAND as a step of the job, and ends the script with its exit code. SIGUSR1, which
# Slurm sends to the script before the limit (--signal=B:USR1@90), is passed on; COMMAND answers it with a checkpoint
# and exit code 138. What COMMAND starts in a container must be the program itself (exec), not a shell around it, which
# the signal would end.
run_or_requeue() {
  srun "$@" &
  local step=$! code
  trap 'kill -USR1 $step' USR1
  wait $step
  code=$?
  while kill -0 $step 2> /dev/null; do # the signal has ended the wait, not the step
    wait $step
    code=$?
  done
  [ $code -eq 138 ] && scontrol requeue "$SLURM_JOB_ID"
  exit $code
}
