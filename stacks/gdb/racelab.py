"""GDB's pretty printers for the lab's maps: racelab::hmap and its buckets, std::unordered_map.

  (gdb) source stacks/gdb/racelab.py
  (gdb) print h                    the counters of an hmap, then the tophash row of each bucket, as hmap::dump() writes them
  (gdb) print *h.buckets_          one bucket, with its keys and elems
  (gdb) print standard             std::unordered_map, chain by chain
  (gdb) print/r h                  as gdb shows it by itself

They are meant for maps that a race has broken: a chain that comes back to itself is said to, memory that can't be read too, and
counters that make no sense are not believed. docs/hmap.md has the names. `set print elements` limits the buckets that are shown.
"""
import gdb
import gdb.printing

STATES = ("emptyRest", "emptyOne", "evacuatedX", "evacuatedY", "evacuatedEmpty")  # below minTopHash, repro/support/hmap/bmap.hpp
FLAGS = ("iterator", "oldIterator", "hashWriting", "sameSizeGrow")
CELLS = 8
LARGEST_B = 40  # more buckets than any machine has memory for


def number_of(value):
    """Of a plain number, or of libstdc++'s std::atomic around it."""
    value = value if value.type.strip_typedefs().code != gdb.TYPE_CODE_STRUCT else value["_M_i"]
    return int(value)


def in_words(states):
    """A tophash row: "9b 6b emptyRest x6"."""
    words = []
    for state in states:
        if words and words[-1][0] == state and state < len(STATES):
            words[-1][1] += 1
        else:
            words.append([state, 1])
    return " ".join((STATES[state] if state < len(STATES) else f"{state:02x}") + (f" x{count}" if count > 1 else "")
                    for state, count in words)


def row_of(bucket):
    return in_words(int(bucket["tophash"][i]) for i in range(CELLS))


def option(name, otherwise):
    """Of the print command that asks; gdb before 13 doesn't tell."""
    return gdb.print_options().get(name, otherwise) if hasattr(gdb, "print_options") else otherwise


def limit():
    """How many buckets are shown; None for all."""
    elements = option("max_elements", gdb.parameter("print elements"))
    return elements if elements else None


def is_argument():
    """In a frame's line: one line is enough."""
    return option("summary", False)


def shown(count):
    most = limit()
    return count if most is None else min(count, most)


def chain_from(start, following):
    """Each link of a chain, and at last a word if it does not come to its end. `following` gives a link's pointer to the next."""
    seen = set()
    link = start
    while int(link) != 0:
        if int(link) in seen:
            yield None, f"back to {int(link):#x}: a ring"
            return
        seen.add(int(link))
        try:
            following(link).fetch_lazy()
        except gdb.MemoryError:
            yield None, f"{int(link):#x} can't be read"
            return
        yield link, None
        link = following(link)


class Hmap:
    def __init__(self, value):
        self.map = value

    def table(self, name, first, length):
        lines = [f"{name} {int(first):#x}: {length} of {first.type.target().sizeof} bytes"]
        for i in range(shown(length)):
            title = f"{i}:"
            for bucket, trouble in chain_from(first + i, lambda link: link["overflow"]):
                lines.append(f"  {title} {trouble or row_of(bucket.dereference())}")
                title = "overflow:"
        if shown(length) < length:
            lines.append(f"  ... and {length - shown(length)} more")
        return lines

    def to_string(self):
        h = self.map
        flags = number_of(h["flags_"])
        size = int(h["B_"])
        names = "|".join(name for bit, name in enumerate(FLAGS) if flags >> bit & 1) or "0"
        lines = [f"count {int(h['count_'])}, flags {names}, B {size}, noverflow {int(h['noverflow_'])}, "
                 f"nevacuate {int(h['nevacuate_'])}"]
        if is_argument():
            return lines[0]
        if size > LARGEST_B:
            return lines[0] + "\nno map has 2^B buckets of such a B: this is no hmap, or no longer one"
        if int(h["buckets_"]) != 0:
            lines += self.table("buckets", h["buckets_"], 1 << size)
        if int(h["oldbuckets_"]) != 0:
            same_size = flags >> FLAGS.index("sameSizeGrow") & 1
            lines += self.table("oldbuckets", h["oldbuckets_"], 1 << max(size if same_size else size - 1, 0))
        return "\n".join(lines)


class Bmap:
    """A bucket: its row, then the key and the elem of each cell that is filled."""

    def __init__(self, value):
        self.bucket = value

    def to_string(self):
        return f"{row_of(self.bucket)}, overflow {int(self.bucket['overflow']):#x}"

    def children(self):
        for i in range(CELLS):
            if int(self.bucket["tophash"][i]) >= len(STATES):
                yield f"keys[{i}]", self.bucket["keys"][i]
                yield f"elems[{i}]", self.bucket["elems"][i]


class UnorderedMap:
    """libstdc++'s: one list of all entries, in which those of a bucket stand together, and for each bucket the link before
    them."""

    def __init__(self, value):
        self.table = value["_M_h"]

    def entry(self, link):
        kind = self.table.type.strip_typedefs().template_argument(1)
        address = int(link) + -(-link.type.sizeof // kind.alignof) * kind.alignof  # behind the pointer to the next
        pair = gdb.Value(address).cast(kind.pointer()).dereference()
        try:
            return f"{pair['first'].format_string()}: {pair['second'].format_string()}"
        except gdb.error as trouble:
            return f"<{trouble}>"

    def to_string(self):
        length = int(self.table["_M_bucket_count"])
        lines = [f"count {int(self.table['_M_element_count'])}, {length} buckets"]
        buckets = self.table["_M_buckets"]
        lines[0] += f" at {int(buckets):#x}"
        if is_argument():
            return lines[0]
        first_of = {}
        try:
            for i in range(length):
                before = buckets[i]
                if int(before) != 0:
                    first_of[int(before["_M_nxt"])] = i
        except gdb.MemoryError:
            lines.append(f"bucket {i} can't be read")
        chains = 0
        entries = []

        def end_of_chain():
            if entries:
                lines.append("  " + " -> ".join(entries))

        for link, trouble in chain_from(self.table["_M_before_begin"]["_M_nxt"], lambda link: link["_M_nxt"]):
            if link is not None and int(link) in first_of:
                end_of_chain()
                if limit() is not None and chains == limit():
                    entries = ["..."]
                    break
                chains += 1
                entries = [f"{first_of[int(link)]}: {self.entry(link)}"]
            else:
                entries.append(trouble or self.entry(link))
        end_of_chain()
        return "\n".join(lines)


def printers():
    collection = gdb.printing.RegexpCollectionPrettyPrinter("racelab")
    collection.add_printer("hmap", "^racelab::hmap<.*>$", Hmap)
    collection.add_printer("bmap", "^racelab::bmap<.*>$", Bmap)
    collection.add_printer("unordered_map", "^std::(__cxx1998::|__debug::)?unordered_map<.*>$", UnorderedMap)
    return collection


def install(objfile):
    """With each object file: libstdc++ brings a printer for its own map along, and gdb asks those of the program first."""
    gdb.printing.register_pretty_printer(objfile, printers(), replace=True)


for each in gdb.objfiles():
    install(each)
gdb.events.new_objfile.connect(lambda event: install(event.new_objfile))
