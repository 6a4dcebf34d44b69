#!/usr/bin/env python3
"""Chooses what clang-tidy looks at: writes a compile database with one command for each source of ours.

  cmake/lint_sources.py BUILD TRACKED-LIST

TRACKED-LIST holds our C++ files, one a line, relative to the root. The database goes to BUILD/lint/, the chosen
sources to BUILD/lint/sources. A scenario is compiled once for each map and variant: the plain programs are taken, and
maps in turn, so that each map's header is met. A header that none of our sources includes is looked at through its
generated one of tests/house. What cannot be looked at is named on stdout, one line each.
"""
import json
import os
import re
import shlex
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
MAP_HEADER = re.compile(r'-DRACELAB_MAP_HEADER="?([^"\s]+)"?')


def arguments(entry):
    return entry.get("arguments") or shlex.split(entry["command"])


def without_precompiled_header(words):
    """Linting must not need a build, and clang-tidy may be older than the compiler that wrote the header."""
    kept = []
    i = 0
    while i < len(words):
        if words[i] == "-Xclang" and words[i + 1] in ("-include-pch", "-include") and words[i + 2] == "-Xclang":
            i += 4
        elif words[i] == "-Winvalid-pch":
            i += 1
        else:
            kept.append(words[i])
            i += 1
    return kept


def map_header(words):
    found = MAP_HEADER.search(" ".join(words))
    return found.group(1) if found else None


def choose(entries, maps_met):
    """The plain program, and of those one with a map that no source before it has."""
    def cost(entry):
        words = arguments(entry)
        return any(word.startswith("-fsanitize") for word in words), map_header(words) in maps_met
    best = min(entries, key=cost)
    maps_met.add(map_header(arguments(best)))
    return best


def reached(chosen):
    """Every file of ours that the chosen sources include, themselves included."""
    seen = set()
    todo = [(os.path.relpath(entry["file"]), map_header(arguments(entry))) for entry in chosen]
    while todo:
        path, map_of_source = todo.pop()
        if path in seen or not os.path.exists(path):
            continue
        seen.add(path)
        if map_of_source:
            todo.append((map_of_source, None))
        with open(path, encoding="utf-8") as text:
            todo += [(name, None) for name in INCLUDE.findall(text.read())]
    return seen


def main():
    build, tracked_list = sys.argv[1:]
    with open(tracked_list, encoding="utf-8") as lines:
        tracked = lines.read().split()
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as database:
        commands = json.load(database)

    by_file = {}
    for entry in commands:
        path = os.path.relpath(os.path.join(entry["directory"], entry["file"]))
        by_file.setdefault(path, []).append(entry)

    chosen = []
    maps_met = set()
    for path in tracked:
        if path.endswith(".cpp"):
            if path in by_file:
                chosen.append(choose(by_file[path], maps_met))
            else:
                print(f"{path}: not part of this build")
    met = reached(chosen)
    for path in tracked:
        if path.endswith(".hpp") and path not in met:
            alone = [one for one in by_file if one.endswith(f"/headers_alone/{path}.cpp")]
            if alone:
                chosen.append(by_file[alone[0]][0])
            else:
                print(f"{path}: no source includes it")

    folder = os.path.join(build, "lint")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "compile_commands.json"), "w", encoding="utf-8") as database:
        json.dump([{"directory": entry["directory"], "file": entry["file"],
                    "arguments": without_precompiled_header(arguments(entry))} for entry in chosen], database, indent=1)
    with open(os.path.join(folder, "sources"), "w", encoding="utf-8") as sources:
        for entry in chosen:
            path = os.path.relpath(entry["file"])
            sources.write((entry["file"] if path.startswith("..") else path) + "\n")


main()
