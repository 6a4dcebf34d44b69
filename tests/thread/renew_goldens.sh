#!/usr/bin/env bash
# Builds the programs here with every ThreadSanitizer that is installed, runs them and renews golden/RUNTIME/KIND.log;
# then the JSON beside each log, by racelab triage.
#
#   tests/thread/renew_goldens.sh RACELAB [PROGRAM...]
#
# RACELAB is the command, build/default/bin/racelab; PROGRAM the name of a source without its end, by default all.
# Goldens of runtimes that are not installed stay as they are. Exits 1 if a program that a runtime can report on reports
# nothing, 2 on wrong usage. On one machine a renewal changes nothing.
set -euo pipefail

[[ $# -ge 1 && -x $1 ]] || { echo "usage: tests/thread/renew_goldens.sh RACELAB [PROGRAM...]" >&2; exit 2; }
racelab=$(realpath "$1")
shift
chosen=" $* "
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(realpath "$here/../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Kinds that a runtime lacks, and what it prints in their place; docs/triage.md has the table.
lacks() {
  case $1:$2 in
    gcc-*:mutex_held_wrong_context | clang-14:mutex_held_wrong_context) ;;  # no __tsan_check_no_mutexes_held
    clang-*:data_race_lost_stack) ;;                                        # drops a race whose stack it has lost
    *) return 1 ;;
  esac
}

wanted() {
  [[ $chosen == "  " || $chosen == *" $1 "* ]]
}

# run RUNTIME NAME PROGRAM OPTIONS: one program into one log.
run() {
  wanted "$3" || return 0
  local log=$here/golden/$1/$2.log options=atexit_sleep_ms=0
  if [[ $1 == clang-* ]]; then options+=" external_symbolizer_path=$(command -v "llvm-symbolizer-${1#clang-}")"; fi
  # Nothing of the caller's environment: it shifts addresses. setarch -R: older runtimes can't stand much randomisation.
  # Braces: what bash itself says of a program that crashed is not wanted.
  { timeout 120 env -i TSAN_OPTIONS="$options $4" setarch -R "$work/$1/$3" > "$work/$1.raw" 2>&1 || true; } 2> /dev/null
  if ! grep -qE 'ThreadSanitizer|DATA RACE' "$work/$1.raw"; then
    echo "renew_goldens: $1: $2 reported nothing" >&2
    return 1
  fi
  python3 "$here/normalise_log.py" "$work/$1" < "$work/$1.raw" > "$log"
}

# renew RUNTIME COMPILER
renew() {
  local source name status=0
  mkdir -p "$work/$1" "$here/golden/$1"
  for source in "$here"/programs/*.cpp; do
    name=$(basename "$source" .cpp)
    if lacks "$1" "$name" || ! wanted "$name"; then continue; fi
    "$2" -std=c++20 -fsanitize=thread -O1 -g -fno-inline -fno-omit-frame-pointer -fno-optimize-sibling-calls \
      "-ffile-prefix-map=$root=/src" "-I$root" "$source" -o "$work/$1/$name"
    run "$1" "$name" "$name" "" || status=1
  done
  run "$1" data_race_unsymbolised data_race symbolize=0 || status=1
  run "$1" data_race_no_summary data_race print_summary=0 || status=1
  run "$1" lock_order_inversion_both lock_order_inversion second_deadlock_stack=1 || status=1
  # Too little address space: how the runtime itself fails.
  (ulimit -v 4000000; run "$1" runtime_failure data_race "") || status=1
  return "$status"
}

renew_go() {
  wanted go_map_race || return 0
  local runtime
  runtime=go-$(go env GOVERSION | sed -E 's/^go([0-9]+\.[0-9]+).*/\1/')
  mkdir -p "$work/$runtime" "$here/golden/$runtime"
  (cd "$here/programs" && CGO_ENABLED=1 GOFLAGS=-trimpath GOCACHE=$work/cache \
    go build -race -o "$work/$runtime/go_map_race" go_map_race.go go_address.go)
  run "$runtime" go_map_race go_map_race ""
}

jobs=()
for compiler in clang++-{14..30} g++-{10..20}; do
  command -v "$compiler" > /dev/null || continue
  runtime=${compiler/clang++/clang}
  renew "${runtime/g++/gcc}" "$compiler" &
  jobs+=($!)
done
if command -v go > /dev/null; then
  renew_go &
  jobs+=($!)
fi
status=0
for job in "${jobs[@]}"; do wait "$job" || status=1; done

cd "$here/golden"
for log in */*.log; do
  "$racelab" triage --format json -o "${log%.log}.json" "$log" 2> /dev/null
done
exit "$status"
