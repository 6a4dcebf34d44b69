#!/usr/bin/env python3
"""Two views of a moving bucket array: gdb's and a heap profile's, of one program, and whether their numbers agree.

  buckets.py --program FILE --output DIR

gdb follows every call of operator new (walk.py) and prints the maps of buckets_walk before and after growth; gperftools' heap
profiler counts the allocations of another run of it. DIR gets blocks.json (what gdb saw), heap.0001.heap (the profile),
allocations.txt and allocations.svg (the profile by function).
Exit codes: 0 the views agree, 1 they differ, 2 a tool is missing or failed.
"""
import argparse
import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
from function_names import allocator_of, buckets_of, short  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = {"gdb": "gdb", "google-pprof": "google-perftools", "dot": "graphviz"}
SECONDS = 120  # for each tool; a hundred times what it takes


class Failed(Exception):
    pass


def run(command, **options):
    try:
        done = subprocess.run([str(word) for word in command], timeout=SECONDS, check=False, text=True, **options)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{command[0]} did not end in {SECONDS} s") from error
    if done.returncode != 0:
        raise Failed(f"{command[0]} ended with {done.returncode}\n{done.stderr or ''}")
    return done.stdout


def blocks_of_gdb(program, file):
    """Prints what walk.py prints. A list of (1, bytes, functions), one for each block that operator new gave."""
    file.unlink(missing_ok=True)
    print(run(["gdb", "-nx", "-batch", "-x", HERE / "walk.py", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
              stdin=subprocess.DEVNULL, env={**os.environ, "RACELAB_BUCKETS": str(file)}))
    if not file.exists():
        raise Failed("gdb did not come to the program's end")
    return [(1, block["bytes"], block["functions"]) for block in json.loads(file.read_text(encoding="utf-8"))]


def heap_profile(program, folder):
    """The profile of a whole run. Every allocation is counted: this profiler takes no samples."""
    profile = folder / "heap.0001.heap"
    profile.unlink(missing_ok=True)
    run([program], stderr=subprocess.PIPE,
        env={**os.environ, "LD_PRELOAD": "libtcmalloc.so.4", "HEAPPROFILE": str(folder / "heap"),
             "HEAP_PROFILE_ALLOCATION_INTERVAL": "0"})
    if not profile.exists():
        raise Failed("there is no heap profile: is libtcmalloc.so.4 installed? (apt-get install google-perftools)")
    return profile


def pprof(program, profile, *options):
    return run(["google-pprof", "--show_bytes", *options, program, profile], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def stacks(program, profile, counted):
    """A number for each stack, innermost function first."""
    found = collections.Counter()
    for line in pprof(program, profile, f"--alloc_{counted}", "--collapsed").splitlines():
        functions, number = line.rsplit(" ", 1)
        found[tuple(reversed(functions.split(";")))] += int(number)
    return found


def blocks_of_profile(program, profile):
    """A list of (blocks, bytes, functions), one for each stack."""
    sizes = stacks(program, profile, "space")
    return [(number, sizes[functions], functions)
            for functions, number in stacks(program, profile, "objects").items()]


def by_function(blocks):
    """{(what, function): [blocks, bytes]}: by the function that allocates, and what has growWork anywhere above it."""
    found = {("hmap: array", "growWork"): [0, 0]}
    for number, size, functions in blocks:
        what = buckets_of(functions)
        if what is None:
            continue
        above = {allocator_of(functions)} | ({"growWork"} & set(map(short, functions)))
        for name in above:
            entry = found.setdefault((what, name), [0, 0])
            entry[0] += number
            entry[1] += size
    return found


def table(views):
    rows = sorted(set().union(*views.values()), key=lambda row: [row[0], *(-view.get(row, [0, 0])[1] for view in views.values())])
    lines = [f"{'buckets':25}  {'allocated by':12}" + "".join(f"  {name + ': blocks':>20}  {'bytes':>6}" for name in views)]
    for row in rows:
        lines.append(f"{row[0]:25}  {row[1]:12}" +
                     "".join(f"  {view.get(row, [0, 0])[0]:20}  {view.get(row, [0, 0])[1]:6}" for view in views.values()))
    return "\n".join(lines)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--program", type=pathlib.Path, required=True)
    options.add_argument("--output", type=pathlib.Path, required=True)
    arguments = options.parse_args()
    for tool, package in PACKAGES.items():
        if shutil.which(tool) is None:
            print(f"buckets: there is no {tool} (apt-get install {package})", file=sys.stderr)
            return 2
    program = arguments.program.resolve()
    folder = arguments.output.resolve()
    folder.mkdir(parents=True, exist_ok=True)

    try:
        by_gdb = blocks_of_gdb(program, folder / "blocks.json")
        profile = heap_profile(program, folder)
        by_profile = blocks_of_profile(program, profile)
        text = ""
        for counted, title in (("objects", "how often"), ("space", "how many bytes")):
            text += (f"== the heap profile, {title}: by the function itself, and with all that it calls\n"
                     + pprof(program, profile, f"--alloc_{counted}", "--text") + "\n")
        (folder / "allocations.txt").write_text(text, encoding="utf-8")
        svg = pprof(program, profile, "--alloc_space", "--nodefraction=0", "--edgefraction=0", "--svg")
        (folder / "allocations.svg").write_text(svg, encoding="utf-8")
    except (Failed, OSError) as error:
        print(f"buckets: {error}", file=sys.stderr)
        return 2
    print(text)

    views = {"gdb": by_function(by_gdb), "heap profile": by_function(by_profile)}
    print(table(views))
    agree = views["gdb"] == views["heap profile"]
    print("both views agree: as many blocks of buckets, and as many bytes, by each function" if agree else "the views differ")
    print(f"the heap profile as a picture: {folder / 'allocations.svg'}")
    return 0 if agree else 1


sys.exit(main())
