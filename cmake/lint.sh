#!/usr/bin/env bash
# Checks the form of the whole tree: clang-format, clang-tidy, shellcheck. Changes nothing.
#
#   cmake/lint.sh BUILD      BUILD: a configured build folder; it need not be built
#
# Takes the newest clang-format and clang-tidy from 16 up. JOBS (default: the processors) files are looked at at a
# time. Exits 0 when nothing is found, 1 on findings, 2 when a tool or the build folder is missing.
set -uo pipefail

fail() {
  echo "lint: $1" >&2
  exit 2
}

newest() {
  local version
  for version in $(seq 30 -1 16); do
    if command -v "$1-$version"; then
      return
    fi
  done
  return 1
}

[[ $# -eq 1 ]] || fail "usage: cmake/lint.sh BUILD"
build=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
[[ -f $build/compile_commands.json ]] || fail "$build/compile_commands.json is missing: configure first"
format=$(newest clang-format) || fail "no clang-format from 16 up; cmake/install-packages.sh lint installs one"
tidy=$(newest clang-tidy) || fail "no clang-tidy from 16 up; cmake/install-packages.sh lint installs one"
command -v python3 > /dev/null || fail "no python3; cmake/install-packages.sh check installs it"
jobs=${JOBS:-$(nproc)}
mkdir -p "$build/lint"

# What git knows or would take, so that a new file is looked at before it is committed.
files() {
  if git rev-parse --is-inside-work-tree > /dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard -- "$@" | while IFS= read -r file; do
      [[ -f $file ]] && echo "$file"
    done
  else
    local pattern
    for pattern in "$@"; do
      find . -path ./build -prune -o -path "./${pattern/#\*/*}" -type f -print
    done | sed 's|^\./||' | sort
  fi
}

# ---- Format
mapfile -t sources < <(files '*.cpp' '*.hpp')
[[ ${#sources[@]} -gt 0 ]] || fail "found no source"
if [[ ${format##*-} -ge 19 ]]; then
  "$format" --dry-run -Werror "${sources[@]}" 2>&1 | tee "$build/lint/format.log"
  # What is neither a finding nor a line of code with a caret below.
  if grep -iE '(^|: )(fatal )?error: |^(LLVM|unable|Unable|No such file)' "$build/lint/format.log" | grep -qv 'code should be clang-formatted'; then
    fail "${format##*/} could not do its work"
  fi
  unformatted=$(grep -oE '^[^:]+:[0-9]+:[0-9]+: error' "$build/lint/format.log" | cut -d: -f1 | sort -u | wc -l)
  formats="${#sources[@]} files by ${format##*/}: $unformatted unformatted"
else
  unformatted=0
  formats="${format##*/} sets some lines otherwise than 19 and later: ${#sources[@]} files SKIPPED"
fi

# ---- clang-tidy
printf '%s\n' "${sources[@]}" > "$build/lint/tracked"
skipped=$(python3 cmake/lint_sources.py "$build" "$build/lint/tracked") || exit 2
mapfile -t chosen < "$build/lint/sources"
rm -rf "$build/lint/logs"
mkdir -p "$build/lint/logs"
export tidy build

# Looks at one source; its log stays only if something was found.
# shellcheck disable=SC2016
look='
  log=$build/lint/logs/${1//\//_}
  if "$tidy" --quiet -p "$build/lint" "$1" > "$log" 2>&1; then rm "$log"; fi
  echo "$1"'

done_files=0
while IFS= read -r source; do
  done_files=$((done_files + 1))
  log=$build/lint/logs/${source//\//_}
  [[ -t 2 ]] && printf '\r\033[K[%d/%d] %s' "$done_files" "${#chosen[@]}" "$source" >&2
  if [[ -f $log ]]; then
    [[ -t 2 ]] && printf '\r\033[K' >&2
    grep -vE '^[0-9]+ (warning|error)s?.* (generated|treated as error)|^Suppressed |^Use -header-filter' "$log"
  fi
done < <(printf '%s\0' "${chosen[@]}" | xargs -0 -P "$jobs" -I '{}' bash -c "$look" look '{}')
[[ -t 2 ]] && printf '\r\033[K' >&2
# A header's finding comes once for each source that includes it.
findings=$(cat "$build"/lint/logs/* 2> /dev/null | grep -E '^[^ ]+:[0-9]+:[0-9]+: (error|warning): ' | sort -u | wc -l)
failed=$(find "$build/lint/logs" -type f | wc -l)
[[ $done_files -eq ${#chosen[@]} ]] || fail "${tidy##*/} looked at $done_files of ${#chosen[@]} sources"

# ---- shellcheck
mapfile -t scripts < <({ files '*.sh'; files '*' | xargs -d '\n' grep -lIE '^#!.*\b(ba)?sh$' 2> /dev/null; } | sort -u)
shell_findings=0
if command -v shellcheck > /dev/null; then
  shellcheck -f gcc "${scripts[@]}" | tee "$build/lint/shellcheck.log"
  shell_findings=$(wc -l < "$build/lint/shellcheck.log")
  shells="${#scripts[@]} scripts by shellcheck: $shell_findings findings"
else
  shells="shellcheck is not installed: ${#scripts[@]} scripts SKIPPED"
fi

[[ -n $skipped ]] && printf 'lint: not looked at by clang-tidy:\n%s\n' "$skipped"
echo "lint: $formats; ${#chosen[@]} sources by ${tidy##*/}:" \
  "$findings findings in $failed; $shells"
[[ $unformatted -eq 0 && $failed -eq 0 && $shell_findings -eq 0 ]]
