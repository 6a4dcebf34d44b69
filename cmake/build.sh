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

# A package that is upgraded brings headers with an older time than what was precompiled from them: nothing to do, says ninja,
# and clang refuses. Their change time tells.
# shellcheck disable=SC2016  # expanded by the inner shell
while read -r -d '' precompiled; do
  [[ /var/lib/dpkg/status -nt $precompiled ]] || continue
  changed=$(ninja -C "$build" -t deps "${precompiled#"$build"/}" | sed -n 's|^ */|/|p' |
    xargs -r -d '\n' sh -c 'find "$@" -maxdepth 0 -cnewer "$0" -print -quit' "$precompiled" 2>&1)
  if [[ -n $changed ]]; then
    rm "$precompiled"
  fi
done < <(find "$build" -name '*.pch' -print0)

if [[ -t 1 ]]; then
  cmake --build "$build" -j "$jobs" --target "$@"
else
  log=$build/build.log
  if ! cmake --build "$build" -j "$jobs" --target "$@" > "$log" 2>&1; then
    cat "$log" >&2
    exit 2
  fi
fi
