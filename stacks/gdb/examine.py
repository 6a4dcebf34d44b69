"""Batch script: says in words what the bytes of the maps tell that a stopped program or a core file has in its frames.

  RACELAB_RESULT=FILE gdb -nx -batch -x stacks/gdb/racelab.py -x stacks/gdb/examine.py PROGRAM CORE

`racelab explain` carries both scripts in itself. A map is looked for in the variables of every frame: by itself, behind a reference
or `this`, or as a member. FILE is JSON: an array of {name, type, address, findings}; a name is `m in main, thread 1`. Maps
with which nothing is wrong are in it, too, with no finding.
"""
import json
import os
import pathlib
import re

import gdb

# racelab.py has run in this namespace: chain_from, number_of, FLAGS, STATES, CELLS, LARGEST_B.

FREED = 165  # MALLOC_PERTURB_ in the lab's trials: what free() leaves behind
FREED_WORD = int.from_bytes(bytes([FREED]) * 8, "little")
UNWRITTEN_WORD = FREED_WORD ^ (1 << 64) - 1  # what malloc() gives then
FREED_WORDS = f"{FREED:#x} again and again, which MALLOC_PERTURB_={FREED} leaves in freed memory"
MOST_WALKED = 1 << 15  # entries or buckets of a map: a second, in gdb's Python
MOST_FINDINGS = 6  # of a map
MOST_NESTED = 4  # members of members
MOST_FRAMES = 64
KINDS = (("hmap", re.compile(r"^racelab::hmap<.*>$")),
         ("unordered_map", re.compile(r"^std::(__cxx1998::|__debug::)?unordered_map<.*>$")))
BUCKET = re.compile(r"^racelab::bmap<.*>$")


def plain(kind):
    return kind.strip_typedefs().unqualified()


def name_of(kind):
    return plain(kind).name or ""


def without_arguments(name):
    """racelab::hmap::erase of racelab::hmap<int, int>::erase(int const&)."""
    depth = 0
    kept = ""
    for letter in name.replace("operator()", "operator\0"):
        depth -= letter in ">)"
        if depth == 0 and letter not in "<>()":
            kept += letter
        depth += letter in "<("
    return kept.replace("\0", "()").removesuffix(" const")


def short_type(kind):
    """racelab::hmap<…>"""
    return re.sub(r"<.*>", "<…>", name_of(kind))


def word_at(address):
    return int(gdb.Value(address).cast(gdb.lookup_type("unsigned long").pointer()).dereference())


def is_freed(address, size):
    """free() marks all of a block but its last word, then links it by its first or its first two."""
    try:
        return any(word_at(address + at) == FREED_WORD for at in (8, 16) if at + 8 <= size)
    except gdb.MemoryError:
        return False


def number(count, one, several=None):
    return f"{count} {one if count == 1 else several or one + 's'}"


def led(trouble):
    """chain_from's word behind `goes`."""
    return trouble if trouble.startswith("back") else f"to {trouble.replace(' can', ', which can')}"


class Finds:
    """The maps in the frames, each once, and the pointers to buckets."""

    def __init__(self):
        self.maps = {}  # by address: name, kind, value
        self.pointers = {}  # address: name

    def look_into(self, value, name, depth=0):
        kind = plain(value.type)
        if kind.code == gdb.TYPE_CODE_REF:
            return self.look_into(value.referenced_value(), name, depth)
        if kind.code == gdb.TYPE_CODE_PTR:
            if BUCKET.match(name_of(kind.target())):
                self.pointers.setdefault(int(value), name)
            elif depth == 0 and name.startswith("this ") and int(value) != 0:
                self.look_into(value.dereference(), name, depth)
            return None
        # Without an address it is what the compiler thinks of the parts, whatever threads have made of them.
        if kind.code != gdb.TYPE_CODE_STRUCT or value.address is None:
            return None
        for which, pattern in KINDS:
            if pattern.match(name_of(kind)):
                self.maps.setdefault(int(value.address), (name, which, value))
                return None
        if depth < MOST_NESTED:
            for field in kind.fields():
                if not hasattr(field, "bitpos") or not field.name:  # static, or without a name
                    continue
                # Not value[field]: it wants the very type that the field was asked of, typedefs and const included.
                self.look_into(value.cast(field.type) if field.is_base_class else value[field.name], name, depth + 1)
        return None

    def look_at(self, frame, thread):
        try:
            block = frame.block()
        except RuntimeError:  # no debug information
            return
        where = f"{without_arguments(frame.name() or '?')}, thread {thread.num}"
        while block is not None:
            for symbol in block:
                if not (symbol.is_variable or symbol.is_argument):
                    continue
                try:
                    value = frame.read_var(symbol)
                    if not value.is_optimized_out:
                        self.look_into(value, f"{symbol.name} in {where}")
                except (gdb.error, ValueError):
                    pass  # it can't be told here: another frame may
            if block.function is not None:
                return
            block = block.superblock


def everything():
    finds = Finds()
    for thread in sorted(gdb.selected_inferior().threads(), key=lambda each: each.num):
        thread.switch()
        frame = gdb.newest_frame()
        for _ in range(MOST_FRAMES):
            if frame is None:
                break
            finds.look_at(frame, thread)
            try:
                frame = frame.older()
            except gdb.error:
                break
    return finds


def counted(says, walked, findings):
    if says != walked:
        findings.append(f"its count says {number(says, 'entry', 'entries')}, a walk finds {walked}")


class Arrays:
    """The bucket arrays of an hmap."""

    def __init__(self, map_):
        self.flags = number_of(map_["flags_"])
        self.size = int(map_["B_"])
        self.count = int(map_["count_"])
        self.tables = []
        if self.size > LARGEST_B:
            return
        if int(map_["buckets_"]) != 0:
            self.tables.append(("buckets", map_["buckets_"], 1 << self.size))
        if int(map_["oldbuckets_"]) != 0:
            same = self.flags >> FLAGS.index("sameSizeGrow") & 1
            self.tables.append(("oldbuckets", map_["oldbuckets_"], 1 << max(self.size if same else self.size - 1, 0)))

    def spans(self):
        return [range(int(first), int(first) + length * first.type.target().sizeof) for _, first, length in self.tables]

    def walked(self):
        """The addresses of all buckets that are walked, also of those that lie in no array."""
        return {int(link) for _, first, length in self.tables for i in range(min(length, MOST_WALKED))
                for link, _ in chain_from(first + i, lambda link: link["overflow"]) if link is not None}


def of_table(name, first, length, findings):
    """How many cells of an array and its overflow buckets are filled; None if that can't be told."""
    filled = freed = 0
    whole = length <= MOST_WALKED
    for i in range(min(length, MOST_WALKED)):
        for bucket, trouble in chain_from(first + i, lambda link: link["overflow"]):
            if trouble:
                whole = False
                findings.append(f"the overflow chain of {name}[{i}] goes {led(trouble)}")
                continue
            if is_freed(int(bucket), bucket.type.target().sizeof):
                freed += 1
                break
            states = [int(bucket["tophash"][k]) for k in range(CELLS)]
            if name == "buckets" or not 2 <= states[0] <= 4:  # evacuated: counted in buckets
                filled += sum(state >= len(STATES) for state in states)
        if len(findings) >= MOST_FINDINGS:
            return None
    if freed:
        findings.append(f"{name} at {int(first):#x} is freed memory: {number(freed, 'bucket')} of {length} "
                        f"{'holds' if freed == 1 else 'hold'} {FREED_WORDS}")
    return filled if whole and not freed else None


def of_hmap(arrays):
    findings = []
    if arrays.size > LARGEST_B:
        return [f"B is {arrays.size}: no map has 2^{arrays.size} buckets, so this is none any more"]
    if arrays.flags >> FLAGS.index("hashWriting") & 1:
        findings.append("its write flag is set: a thread is in the middle of changing it")
    filled = [of_table(*table, findings) for table in arrays.tables]
    if None not in filled:
        counted(arrays.count, sum(filled), findings)
    return findings


def of_unordered_map(map_):
    findings = []
    table = map_["_M_h"]
    node_size = table.type.strip_typedefs().template_argument(1).sizeof + 8
    links = set()
    whole = True
    for link, trouble in chain_from(table["_M_before_begin"]["_M_nxt"], lambda link: link["_M_nxt"]):
        whole = False
        if trouble:
            findings.append(f"after {number(len(links), 'entry', 'entries')} its list goes {led(trouble)}")
        elif is_freed(int(link), node_size):
            findings.append(f"entry {len(links)} of its list, at {int(link):#x}, is a freed node: {FREED_WORDS}")
        elif len(links) < MOST_WALKED:
            links.add(int(link))
            whole = True
        if not whole:
            break
    if whole:
        counted(int(table["_M_element_count"]), len(links), findings)
    known = links | {int(table["_M_before_begin"].address)}  # where the first entry's bucket points
    strays = []
    try:
        for i in range(min(int(table["_M_bucket_count"]), MOST_WALKED)):
            before = int(table["_M_buckets"][i])
            if before == FREED_WORD:
                findings.append(f"its bucket array at {int(table['_M_buckets']):#x} is freed memory: {FREED_WORDS}")
                break
            if before != 0 and before not in known:
                strays.append(i)
    except gdb.MemoryError:
        findings.append(f"its bucket array at {int(table['_M_buckets']):#x} can't be read")
    if whole and strays:
        findings.append(f"bucket {strays[0]} points to an entry that is not in its list"
                        + (f", and so do {len(strays) - 1} more" if len(strays) > 1 else ""))
    return findings


def of_pointer(address, name, spans):
    """A pointer to a bucket that belongs to no array of today."""
    if address == 0 or any(address in span for span in spans):
        return None
    if address == FREED_WORD:
        return f"`{name}` is {FREED_WORDS}: it was read from a freed bucket"
    if address == UNWRITTEN_WORD:
        return (f"`{name}` is {address:#x}, which malloc() gives with MALLOC_PERTURB_={FREED}: it was read from a bucket that "
                "nobody had written")
    return f"`{name}` is {address:#x}, which is in no bucket array that the map has now: one that it had before"


def main():
    finds = everything()
    told = []
    first_hmap, spans = None, []
    for address, (name, which, value) in finds.maps.items():
        try:
            if which == "hmap":
                arrays = Arrays(value)
                findings = of_hmap(arrays)
                if finds.pointers:
                    spans += [*arrays.spans(), arrays.walked()]
            else:
                findings = of_unordered_map(value)
        except gdb.error as trouble:  # bytes that make no map at all
            findings = [str(trouble)]
        told.append({"name": name, "type": short_type(value.type), "address": f"{address:#x}", "findings": findings})
        if which == "hmap" and first_hmap is None:
            first_hmap = told[-1]
    if first_hmap is not None:
        words = [of_pointer(address, name, spans) for address, name in finds.pointers.items()]
        first_hmap["findings"] += [each for each in words if each]
    pathlib.Path(os.environ["RACELAB_RESULT"]).write_text(json.dumps(told), encoding="utf-8")


main()
