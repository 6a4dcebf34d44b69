#!/bin/sh
# Makes one object of the runtime's, for a program that is linked with it.
#
#   make-runtime.sh FOLDER LINKER OBJCOPY NM OBJECT...
#
# FOLDER/watch.o       the objects, with the templates of the standard library that they have instances of made their own:
#                      the program's instances are instrumented, and neither side may get the other's
# FOLDER/watch.syms    a linker's --dynamic-list: what shared libraries have to find in the program
# FOLDER/watch.map     a version script: the same for the runtime as a shared library
set -eu
folder=$1
linker=$2
objcopy=$3
nm=$4
shift 4

mkdir -p "$folder"
"$linker" -r --force-group-allocation -o "$folder/watch.all.o" "$@"
# What stays is the interface, which C++ names only as operator delete, and racelab's own, which a program's copy of
# racelab's libraries (for the write flag) then shares.
"$objcopy" --wildcard --localize-symbol='!_ZdlPv*' --localize-symbol='!_ZdaPv*' --localize-symbol='!_ZN7racelab*' \
  --localize-symbol='!_ZNK7racelab*' --localize-symbol='_Z*' --localize-symbol='DW.ref.*' \
  --localize-symbol=__clang_call_terminate "$folder/watch.all.o" "$folder/watch.o"
rm "$folder/watch.all.o"

names=$("$nm" --defined-only --extern-only --format=posix "$folder/watch.o" | cut -d' ' -f1 | grep -vE '^_ZNK?7racelab' |
  sed 's/$/;/')
printf '{\n%s\n};\n' "$names" > "$folder/watch.syms"
printf '{\nglobal:\n%s\nlocal: *;\n};\n' "$names" > "$folder/watch.map"
