# program PACKAGE:NAME FLAGS...: prints the command and runs it, from the folder PROGRAMS with the built programs if the
# variable is set, otherwise by `bazel run`.
program() {
  local name=$1
  shift
  echo "+ //$name $*"
  if [[ -n ${PROGRAMS:-} ]]; then
    "$PROGRAMS/${name/://}" "$@"
  else
    bazel run --ui_event_filters=-info --noshow_progress "//$name" -- "$@"
  fi
}
