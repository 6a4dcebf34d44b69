#!/usr/bin/env bash
# Installs what cmake/packages.txt names for the given groups, by apt.
#
#   cmake/install-packages.sh [--print] GROUP...
#
# Does nothing, quickly, when everything is there. Without root and without sudo it prints the one command
# to run and exits 2. --print only prints the package names that this distribution needs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
list=$here/packages.txt
print_only=false
if [[ ${1:-} == --print ]]; then
  print_only=true
  shift
fi
if [[ $# -eq 0 ]]; then
  echo "usage: cmake/install-packages.sh [--print] GROUP... (groups of $list)" >&2
  exit 2
fi
if ! command -v apt-get > /dev/null || ! command -v dpkg-query > /dev/null; then
  echo "racelab: this is no Debian or Ubuntu system: install by hand what $list names" >&2
  exit 2
fi

# The alternatives of each line of the wanted groups, one line each.
wanted_lines() {
  local group=none line
  while IFS= read -r line; do
    line=${line%%#*}
    line=$(tr -s '[:space:]' ' ' <<< "$line")
    line=${line# }
    line=${line% }
    [[ -z $line ]] && continue
    if [[ $line == \[*\] ]]; then
      group=${line:1:-1}
    elif [[ " $* " == *" $group "* ]]; then
      echo "$line"
    fi
  done < "$list"
}

installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null) == installed ]]; }

# apt knows a package when it can name a version to install.
available() { [[ $(LC_ALL=C apt-cache policy "$1" 2> /dev/null | sed -n 's/^  Candidate: //p') =~ ^[^\(] ]]; }

newest_llvm() {
  local version
  for version in $(seq 30 -1 16); do
    if "$1" "clang-$version"; then
      echo "$version"
      return
    fi
  done
}

# Prints the chosen packages, using the test "$1" (installed or available) to choose; fails when one has none.
choose() {
  local test=$1 llvm line name chosen
  shift
  llvm=$(newest_llvm "$test")
  while IFS= read -r line; do
    chosen=
    for name in ${line//|/ }; do
      name=${name//@LLVM@/${llvm:-none}}
      if "$test" "$name"; then
        chosen=$name
        break
      fi
    done
    if [[ -z $chosen ]]; then
      missing=$line
      return 1
    fi
    echo "$chosen"
  done < <(wanted_lines "$@")
}

if ! $print_only && choose installed "$@" > /dev/null; then
  exit 0
fi

if [[ $EUID -eq 0 ]]; then
  as_root=()
elif command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
  as_root=(sudo)
elif command -v sudo > /dev/null && [[ -t 0 ]]; then
  as_root=(sudo)
else
  as_root=(none)
fi

if [[ ${as_root[*]:-} != none ]] && ! $print_only; then
  echo "racelab: installing packages ($*)" >&2
  # A stale list asks for versions that the mirror has dropped, so it is renewed before every install. A third
  # party's broken repository must not stop us: what counts is whether apt knows the packages afterwards.
  "${as_root[@]}" apt-get update -qq || true
fi

missing=
if ! packages=$(choose available "$@"); then
  choose available "$@" > /dev/null || true
  echo "racelab: this distribution has no package for '${missing//@LLVM@/16 to 30}' ($list)" >&2
  exit 2
fi
packages=${packages//$'\n'/ }

if $print_only; then
  echo "$packages"
elif [[ ${as_root[*]:-} == none ]]; then
  echo "racelab: packages are missing and this user may not install them; run: sudo apt-get install --no-install-recommends -y $packages" >&2
  exit 2
else
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install --no-install-recommends -y -qq $packages > /dev/null
fi
