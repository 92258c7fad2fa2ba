# What the tests of programs on features share: small tables, written by hand.
set -u

failures=0
fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

start() {
  rm -rf "$TEST_TMPDIR/work" && mkdir "$TEST_TMPDIR/work" && cd "$TEST_TMPDIR/work" || exit 1
}

finish() {
  [[ $failures == 0 ]] && echo PASSED
  exit $((failures > 0))
}

# features NAME COLUMNS ROW...: NAME.npy, float32; a row is numbers from 0 to 5, or nan.
features() {
  local name=$1 columns=$2
  shift 2
  local header="{'descr': '<f4', 'fortran_order': False, 'shape': ($#, $columns), }" value
  {
    printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$header"
    for value in $*; do
      case $value in
        0) printf '\0\0\0\0' ;;
        1) printf '\0\0\x80\x3f' ;;
        2) printf '\0\0\0\x40' ;;
        3) printf '\0\0\x40\x40' ;;
        5) printf '\0\0\xa0\x40' ;;
        nan) printf '\0\0\xc0\x7f' ;;
        *) fail "no such number: $value" ;;
      esac
    done
  } > "$name.npy"
}

# list NAME LINE...: NAME.csv of file,label.
list() {
  local name=$1
  shift
  printf '%s\n' file,label "$@" > "$name.csv"
}

# refused CODE PATTERN COMMAND...: the command ends with CODE and one line on stderr that has PATTERN.
refused() {
  local code=$1 pattern=$2
  shift 2
  "$@" > refused.out 2> refused.err
  local got=$?
  [[ $got == "$code" ]] || fail "exit code $got, not $code, of: $* ($(cat refused.out refused.err))"
  [[ $(wc -l < refused.err) == 1 ]] || fail "not one line on stderr, of: $* ($(cat refused.err))"
  grep -q -- "^error: .*$pattern" refused.err || fail "no '$pattern' in: $(cat refused.err)"
}
