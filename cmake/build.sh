#!/usr/bin/env bash
# Configures a preset and builds targets, telling about progress only on a terminal and the whole log only on failure.
#
#   cmake/build.sh PRESET JOBS [CMAKE-ARGUMENT...] -- TARGET...
set -euo pipefail

preset=$1
jobs=$2
shift 2
arguments=()
while [[ $1 != -- ]]; do
  arguments+=("$1")
  shift
done
shift

build=build/$preset
mkdir -p "$build"
log=$build/configure.log
messages=$build/configure.messages
if ! cmake --preset "$preset" "${arguments[@]}" > "$log" 2> "$messages"; then
  cat "$log" "$messages" >&2
  exit 2
fi
grep 'SKIPPED' "$messages" >&2 || true

if [[ -t 1 ]]; then
  cmake --build "$build" -j "$jobs" --target "$@"
else
  log=$build/build.log
  if ! cmake --build "$build" -j "$jobs" --target "$@" > "$log" 2>&1; then
    cat "$log" >&2
    exit 2
  fi
fi
