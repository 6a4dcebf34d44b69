#!/usr/bin/env bash
# Renews logs/: what real tools print of programs/. Each log is a golden file's input (reading_golden_test.cpp).
#
#   tests/reading/make-logs.sh [RACELAB_BUILD_FOLDER]
#
# Needs clang with its sanitizers and gdb; Go's logs are renewed only where there is Go, the lab's own, and the golden
# files, only with a build folder.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${1:-}
[[ -n $build ]] && build=$(cd "$build" && pwd)
clang=$(compgen -c clang++- | sort -t- -k2 -n | tail -1)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$here/programs" || exit 2

# Reports name the sources relative to the programs' folder, and nothing of this machine.
flags=(-g -O0 -fno-omit-frame-pointer "-ffile-prefix-map=$here/programs/=" -pthread)
log() { sed -e "s#$folder/##g; s#$here/##g" > "$here/logs/$1.log"; }

make() {
  local name=$1 source=$2
  shift 2
  "$clang" "${flags[@]}" "$@" "$source.cpp" -o "$folder/$name"
}

make address use_after_free -fsanitize=address
make address_null null_chain -fsanitize=address
make undefined_null null_chain -fsanitize=undefined
make thread race -fsanitize=thread
make thread_null null_chain -fsanitize=thread
make null_chain null_chain
make double_free double_free
{ "$folder/address"; } 2>&1 | log address
{ "$folder/address_null"; } 2>&1 | log address_null
{ UBSAN_OPTIONS=print_stacktrace=1 "$folder/undefined_null"; } 2>&1 | log undefined_null
for name in thread thread_null; do
  # Where the kernel's address-space randomisation is more than ThreadSanitizer can stand.
  { setarch -R "$folder/$name"; } 2>&1 | log "$name"
done
{ "$folder/double_free"; } 2>&1 | grep -v Aborted | log abort
gdb -nx -batch -iex 'set debuginfod enabled off' -ex 'set startup-with-shell off' -ex run -ex 'thread apply all bt' "$folder/null_chain" 2>&1 | log gdb
gdb -nx -batch -iex 'set debuginfod enabled off' -ex 'set startup-with-shell off' -ex run -ex bt "$folder/double_free" 2>&1 | log gdb_abort
if command -v go > /dev/null; then
  GOTRACEBACK=all go run concurrent_map.go 2>&1 | log go_map
  GOTRACEBACK=all go run null_chain.go 2>&1 | log go_panic
fi
if [[ -n $build ]]; then
  RACELAB_TRACEBACK=single "$build/bin/racelab" crash crash_gated_delete --map hmap --trials 1 --no-baseline --traces 2>&1 |
    sed -n '/^fatal error/,/^$/p;/^thread/,/^$/p' | log racelab_flag
  RACELAB_TRACEBACK=single "$build/bin/racelab" crash crash_nil_workbuf --trials 1 --no-baseline --traces 2>&1 |
    sed -n '/^fatal error/,/^$/p;/^\[signal/p;/^thread/,/^$/p' | log racelab_null
  for log in ../logs/*.log; do "$build/bin/racelab" explain "$log" --source-root ../../.. > "${log%.log}.txt"; done
fi
