#!/usr/bin/env bash
# .ci/run with a fake set-up, a fake Bazel and a fake fuzzer: its last line and its exit code.
set -uo pipefail

root=$TEST_TMPDIR/root
mkdir -p "$root/.ci" "$root/tools" "$root/bin"
cp .ci/run "$root/.ci/run"
failures=0

# expect WHAT SETUP_CODE BAZEL_CODE BAZEL_OUTPUT LAST_LINE CODE [LIVE_CODE LIVE_OUTPUT [FUZZER_CODE [CUDA_CODE [OUTSIDE_CODE]]]]
expect() {
  printf '#!/bin/sh\necho set up >&2\nexit %d\n' "$2" >"$root/tools/setup.sh"
  printf '#!/bin/sh\n[ "$*" = 8 ] && exit %d\necho called as "$*"' "${9-0}" >"$root/tools/fuzz.sh"
  printf '#!/bin/sh\nexit %d\n' "${11-0}" >"$root/tools/outside.sh"
  printf '%s\n' "$4" >"$root/said"
  printf '%s\n' "${8-//p:live_test    PASSED in 60.1s}" >"$root/said_live"
  cat >"$root/bin/bazel" <<EOF
#!/bin/sh
case "\$*" in
  "test //...") cat said >&2; exit $3 ;;
  "test --config=parity //...") cat said_live >&2; exit ${7-0} ;;
  "test --config=cuda //tests/cuda") exit ${10-0} ;;
  *) echo called as "\$*" ;;
esac
EOF
  chmod +x "$root/tools/"*.sh "$root/bin/bazel"
  local out code
  out=$(cd / && PATH=$root/bin:$PATH bash "$root/.ci/run" 2>/dev/null)
  code=$?
  [[ $(tail -n 1 <<<"$out") == "$5" && $((code != 0)) == "$6" && $out != *"called as"* ]] && return
  echo "FAILED: $1: exit code $code, output: $out"
  failures=1
}

# A log of an earlier run, and of a test that only speaks of skipping.
mkdir -p "$root/bazel-testlogs/"{a/b_test,a/c_test,gone/f_test}
echo "no line is SKIPPED: here" >"$root/bazel-testlogs/a/b_test/test.log"
echo "SKIPPED: of an earlier run" >"$root/bazel-testlogs/gone/f_test/test.log"

passes='//a:b_test                 PASSED in 0.1s
//a:c_test        (cached) PASSED in 10.5s
Executed 1 out of 2 tests: 2 tests pass.'
expect "all pass" 0 0 "$passes" "3 passed, 0 failed, 0 skipped" 0
expect "the comparison with Python fails" 0 0 "$passes" "2 passed, 1 failed, 0 skipped" 1 3 "//p:live_test   FAILED in 60.1s"
expect "the comparison with Python cannot be built" 0 0 "$passes" "2 passed, 1 failed, 0 skipped" 1 1 "no network"
expect "the fuzzer finds something" 0 0 "$passes" "3 passed, 1 failed, 0 skipped" 1 0 "//p:live_test   PASSED in 1.0s" 1
expect "CUDA cannot be built" 0 0 "$passes" "3 passed, 1 failed, 0 skipped" 1 0 "//p:live_test   PASSED in 1.0s" 0 1
expect "an example cannot be built" 0 0 "$passes" "3 passed, 1 failed, 0 skipped" 1 0 "//p:live_test   PASSED in 1.0s" 0 0 1
expect "some fail" 0 3 "$passes
//a:d_test                 FAILED in 0.1s
  /somewhere/test.log
//a:e_test                 TIMEOUT in 60.1s
//a:f_test                 NO STATUS" "2 passed, 3 failed, 0 skipped" 1
expect "a broken build" 0 1 "ERROR: build failed" "0 passed, 1 failed, 0 skipped" 1
expect "a broken build beside tests" 0 1 "$passes" "2 passed, 1 failed, 0 skipped" 1
expect "no test at all" 0 4 "INFO: nothing to do" "0 passed, 1 failed, 0 skipped" 1
expect "no set-up" 4 0 "$passes" "0 passed, 1 failed, 0 skipped" 1
printf 'set up\nSKIPPED: this machine lacks something\n' >"$root/bazel-testlogs/a/c_test/test.log"
expect "one is skipped" 0 0 "$passes" "2 passed, 0 failed, 1 skipped" 0
exit $failures
