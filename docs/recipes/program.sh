# program PACKAGE:NAME FLAGS...: says the command and runs it, by bazel, or from the folder PROGRAMS where it is
# set and holds the built programs.
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
