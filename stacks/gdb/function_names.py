"""Names of functions as gdb and google-pprof write them, and who asked for buckets."""

# They only pass the request on.
ALLOCATING = {"allocate", "make", "makeBucketArray", "newoverflow", "_M_allocate_buckets", "_M_rehash_aux"}
FREEING = {"drop_reference", "abandon"}


def short(name):
    """hashGrow of racelab::hmap<int, int>::hashGrow(int)[inline]."""
    depth = 0
    plain = ""
    for letter in name.removesuffix("[inline]"):
        if letter in "<(":
            depth += 1
        elif letter in ">)":
            depth = max(depth - 1, 0)
        elif depth == 0:
            plain += letter
    return plain.strip().split(" ")[-1].split("::")[-1]


def buckets_of(functions):
    """What buckets an allocation is for, by its functions from the innermost on; None for another allocation."""
    if any(name.startswith("racelab::bucket_array") and short(name) == "make" for name in functions):
        return "hmap: array"
    if short(functions[0]) == "newoverflow":
        return "hmap: one overflow bucket"
    if any(short(name) == "_M_allocate_buckets" for name in functions):
        return "std::unordered_map: array"
    return None


def allocator_of(functions):
    """The first function that did more than pass the request on."""
    return next((name for name in map(short, functions) if name not in ALLOCATING), "?")


def freer_of(functions):
    return next((name for name in map(short, functions) if name not in FREEING), "?")
