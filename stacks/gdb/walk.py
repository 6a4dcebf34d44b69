"""Batch script: follows the bucket arrays of buckets_walk and prints its maps before and after growth, and a reader's pointer
that dangles, caught at its use.

  gdb -nx -batch -x stacks/gdb/walk.py build/default/bin/buckets_walk

With RACELAB_BUCKETS=FILE it writes there as JSON what was allocated by operator new: each block's size and the functions that
asked for it, innermost first.
"""
import json
import os
import pathlib
import sys

import gdb

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "stacks/gdb"))
from function_names import allocator_of, freer_of, short  # noqa: E402  gdb's Python does not look beside a script

FIRST_ARGUMENT = {"i386:x86-64": "rdi", "aarch64": "x0"}  # by gdb's name of the architecture
RESULT = {"i386:x86-64": "rax", "aarch64": "x0"}
FREED = 165  # mallopt(3), M_PERTURB

gdb.execute(f"source {ROOT / 'stacks/gdb/racelab.py'}")


def register(names):
    frame = gdb.newest_frame()
    return int(frame.read_register(names[frame.architecture().name()]))


def functions(frame):
    """The names of the frames, from this one outwards."""
    names = []
    while frame is not None:
        names.append(frame.name() or "?")
        frame = frame.older()
    return names


def where(frame):
    """hashGrow at file:line, and the line itself."""
    line = frame.find_sal()
    name = short(frame.name() or "?")
    if line.symtab is None:
        return name
    # The build writes paths from the root of the tree, below a folder that it doesn't have.
    parts = pathlib.PurePath(line.symtab.filename).parts
    for file in (pathlib.PurePath(*parts[i:]) for i in range(len(parts))):
        if (ROOT / file).is_file():
            text = (ROOT / file).read_text(encoding="utf-8").splitlines()[line.line - 1].strip()
            return f"{name} at {file}:{line.line}\n  {text}"
    return f"{name} at {line.symtab.filename}:{line.line}"


class Blocks:
    """What operator new gave, and whether operator delete has had it back."""

    def __init__(self):
        self.all = []

    def of(self, address):
        """The last block that held this address."""
        return next((block for block in reversed(self.all)
                     if block["address"] <= address < block["address"] + block["bytes"]), None)


blocks = Blocks()


class Given(gdb.FinishBreakpoint):
    """operator new returns the block's address."""

    def __init__(self, block):
        super().__init__(gdb.newest_frame(), internal=True)
        self.block = block

    def stop(self):
        self.block["address"] = register(RESULT)
        blocks.all.append(self.block)
        return False


class New(gdb.Breakpoint):
    def stop(self):
        Given({"bytes": register(FIRST_ARGUMENT), "functions": functions(gdb.newest_frame().older()), "freed_by": None})
        return False


class Delete(gdb.Breakpoint):
    def stop(self):
        block = blocks.of(register(FIRST_ARGUMENT))
        if block is not None and block["freed_by"] is None:
            block["freed_by"] = functions(gdb.newest_frame().older())
        return False


def stop_at(function, temporary=False):
    gdb.Breakpoint(function, internal=True, temporary=temporary).silent = True


def show_moment():
    print(f"\n== {gdb.parse_and_eval('when').string()}")
    for options, name in (("", "h"), ("-elements 8 -- ", "standard")):
        print(f"(gdb) print {options}{name}")
        gdb.execute(f"print {options}{name}")


def show_use_of(address):
    """Runs on until these eight bytes are read."""
    watch = None
    try:
        watch = gdb.Breakpoint(f"*(unsigned long *){address:#x}", gdb.BP_WATCHPOINT, gdb.WP_READ, internal=True)
        watch.silent = True
        gdb.execute("continue", to_string=True)
    except gdb.error as trouble:
        print(f"no watchpoint ({trouble}): the breakpoint before the use has to do")
    else:
        if watch.hit_count == 0:
            raise gdb.GdbError(f"nobody read {address:#x}")
        print(f"caught at its use: thread {gdb.selected_thread().num} has read {address:#x}\n{where(gdb.newest_frame())}")
    if watch is not None:
        watch.delete()


def show_dangling():
    frame = gdb.newest_frame()
    saved = frame.read_var("saved")
    address = int(saved)
    print("\n== a reader is about to use the buckets that it saved before growth")
    print(f"thread {gdb.selected_thread().num}: {where(frame)}")
    print(f"saved = {address:#x}")
    block = blocks.of(address)
    if block is None or block["freed_by"] is None:
        print("which is not freed")
        return
    print(f"lies in freed memory: {address - block['address']} bytes into a block of {block['bytes']} bytes at {block['address']:#x}")
    print(f"  allocated by {allocator_of(block['functions'])}")
    print(f"  freed by {freer_of(block['freed_by'])}")
    row = [int(saved["tophash"][i]) for i in range(8)]
    same = " (MALLOC_PERTURB_'s: what free() leaves behind)" if set(row) == {FREED} else ""
    print(f"its tophash row: {' '.join(f'{state:02x}' for state in row)}{same}")
    show_use_of(address)


def main():
    gdb.execute("set pagination off")
    gdb.execute("set print thread-events off")
    gdb.execute("set startup-with-shell off")
    gdb.execute("set width 0")
    gdb.execute(f"set environment MALLOC_PERTURB_={FREED}")
    # malloc would put a block into its thread cache before it overwrote it.
    gdb.execute("set environment GLIBC_TUNABLES=glibc.malloc.tcache_count=0")
    # Before main the C++ library is not there.
    stop_at("main", temporary=True)
    gdb.execute("run", to_string=True)
    New("operator new(unsigned long)", internal=True)
    Delete("operator delete(void*)", internal=True)
    stops = {"moment": show_moment, "reader_looks": show_dangling}
    for name in stops:
        stop_at(name)
    while True:
        gdb.execute("continue", to_string=True)
        if gdb.selected_inferior().pid == 0:
            break
        show = stops.get(short(gdb.newest_frame().name() or "?"))
        if show is None:
            raise gdb.GdbError(f"stopped where nobody wanted: {gdb.newest_frame().name()}")
        show()
    file = os.environ.get("RACELAB_BUCKETS")
    if file:
        pathlib.Path(file).write_text(json.dumps(blocks.all, indent=1), encoding="utf-8")


main()
