#!/usr/bin/env python3
"""Writes a C file that calls every entry point which the sanitizers' headers and runtimes offer to a program.

  entry_points.py OUTPUT EXCLUSIONS NM FILE...

FILE: a header (its declarations), an archive or a shared library (its defined symbols). EXCLUSIONS: name patterns, one a
line, each with its reason after `#`.
"""
import fnmatch
import re
import subprocess
import sys

OFFERED = re.compile(r"(__tsan|__sanitizer|Annotate|WTFAnnotate)\w+|RunningOnValgrind|ValgrindSlowdown")
DECLARED = re.compile(r"\b(__tsan_\w+|__sanitizer_\w+)\s*\(")


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


def names_of(path, nm):
    if path.endswith(".h"):
        with open(path, encoding="utf-8") as header:
            return set(DECLARED.findall(without_comments(header.read())))
    options = ["--dynamic"] if ".so" in path else []
    listing = subprocess.run([nm, *options, "--defined-only", "--extern-only", "--format=posix", path],
                             check=True, capture_output=True, text=True).stdout
    names = (line.split()[0].partition("@")[0] for line in listing.splitlines() if line.strip())
    return {name for name in names if OFFERED.fullmatch(name)}


def main():
    output, exclusions, nm, *files = sys.argv[1:]
    with open(exclusions, encoding="utf-8") as lines:
        patterns = [line.partition("#")[0].strip() for line in lines]
    names = set().union(*(names_of(path, nm) for path in files))
    names = sorted(name for name in names if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns if pattern))

    with open(output, "w", encoding="utf-8") as out:
        out.write("// Written by entry_points.py.\n#include <stddef.h>\n#include <stdlib.h>\n#include <string.h>\n\n")
        for name in names:
            out.write(f"unsigned long {name}();\n")
        out.write("\nconst char* const entry_points[] = {\n")
        for name in names:
            out.write(f'  "{name}",\n')
        out.write("};\nconst size_t entry_point_count = sizeof entry_points / sizeof *entry_points;\n\n"
                  "// Zeroed memory twice and then zeros: a block, a buffer of no size, nobody to call back.\n"
                  "#define CALL(name) memset(block, 0, size); name(block, block + size / 2, 0, 0, 0, 0)\n\n"
                  "void call_every_entry_point(void) {\n  const size_t size = 4096;\n"
                  "  char* block = aligned_alloc(64, size);\n")
        for name in names:
            out.write(f"  CALL({name});\n")
        out.write("  free(block);\n}\n")


main()
