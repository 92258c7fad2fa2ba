# Sourced by the job scripts. Requeues a job that has reached its time limit, so that it continues later.

# run_or_requeue COMMAND...: runs COMMAND as a step of the job, and ends the script with its exit code. SIGUSR1, which
# Slurm sends to the script before the limit (--signal=B:USR1@90), is passed on to COMMAND, which then writes a
# checkpoint and exits with code 138. The job is requeued after that code, and after any other but 0 if the signal has
# come: a launcher such as torchrun has a code of its own. In a container, COMMAND must start the program itself (exec)
# instead of a shell, because the signal would end the shell.
run_or_requeue() {
  srun "$@" &
  local step=$! code limit=
  trap 'limit=near; kill -USR1 $step' USR1
  wait $step
  code=$?
  while kill -0 $step 2> /dev/null; do # the signal has interrupted wait, but not ended the step
    wait $step
    code=$?
  done
  if [ $code -eq 138 ] || { [ -n "$limit" ] && [ $code -ne 0 ]; }; then scontrol requeue "$SLURM_JOB_ID"; fi
  exit $code
}
