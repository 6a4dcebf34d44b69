#!/usr/bin/env bash
# Runs the tests of a build folder and prints the runners' own closing lines.
#
#   cmake/run-tests.sh BUILD [--bars]     --bars: only the tests labelled bars, with the full number of trials
set -uo pipefail

build=$1
selection=()
if [[ ${2:-} == --bars ]]; then
  export RACELAB_FULL_BARS=1
  selection=(-L bars)
fi

# Side by side, but for those that watch the schedule or time something: they are RUN_SERIAL.
ctest --test-dir "$build" --output-on-failure --no-tests=error -j "${JOBS:-$(nproc)}" "${selection[@]}"
status=$?

# Each test program's own last word, from CTest's log.
echo
grep -E '^(\[  (PASSED|FAILED|SKIPPED) +\]|\[  SKIPPED|All tests passed|test cases:|.*[0-9]+ (tests?|FAILED TESTS?|SKIPPED)$)' \
  "$build/Testing/Temporary/LastTest.log" || true
grep -E 'tests (passed|failed)' "$build/Testing/Temporary/LastTest.log" || true
exit "$status"
