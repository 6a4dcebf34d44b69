#!/usr/bin/env python3
"""The blog post's claims, each decided by a program or a measurement that runs here.

  claims.py --build BUILD [--document FILE] [--json FILE] [CLAIM ...]

Runs what each claim needs (all of them: under five minutes on two cores), prints claim, verdict, the figure that decides and the
command that repeats it, and writes the same as a document. Where Go is installed, Go programs of the post's run beside.
Exit codes: 0 every claim was decided or skipped for a reason that is told, 2 something could not be run, 130 stopped.
"""
import argparse
import csv
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap

sys.dont_write_bytecode = True  # nothing is left beside the sources
from measuring import Estimate, Failure, run, shown  # noqa: E402

HOLDS, MISLEADS, FAILS, OPEN = "holds", "misleading", "does not hold", "undecided"


class Lab:
    """Runs the lab's own commands, each once, and remembers how to repeat them."""

    def __init__(self, build):
        self.build, self.done, self.commands = pathlib.Path(build), {}, []
        self.built_as = ""  # compiler and commit, as the benchmarks print them

    def run(self, command, codes=(0,)):
        """As measuring.run(), and says so meanwhile."""
        shown(" ".join(map(str, command)))
        return run(command, codes)

    def repeat(self, *command):
        """Notes a command that a reader may type."""
        text = " ".join(command)
        if text not in self.commands:
            self.commands.append(text)

    def of_racelab(self, *arguments):
        key = arguments
        self.repeat("build/default/bin/racelab", *arguments)
        if key not in self.done:
            result = self.run([self.build / "bin/racelab", *arguments, "--catalogue", self.build / "catalogue.json", "--json", "-"], codes=(0, 1))
            self.done[key] = json.loads(result.stdout)
        return self.done[key]

    def crash(self, scenario, map_, perturb="stall", trials=100):
        """The row of a program's trials: `racelab crash`."""
        document = self.of_racelab("crash", scenario, "--map", map_, "--perturb", perturb, "--no-baseline", "--trials", str(trials))
        return document["rows"][0]

    def remedy(self, scenario, fix, trials=10, stalls=100):
        """The row of a remedy under ThreadSanitizer and under stalls: `racelab tsan`."""
        document = self.of_racelab("tsan", scenario, "--fix", fix, "--trials", str(trials), "--stall-trials", str(stalls))
        return document["rows"][0]

    def detectors(self, *names):
        """The document of `racelab score` for these detectors."""
        return self.of_racelab("score", *(part for name in names for part in ("--detectors", name)), "--jobs", "2")

    def buckets(self):
        """{(map, by whom): (blocks, bytes)} of the arrays of buckets, as gdb and a heap profile count them."""
        self.repeat("make buckets")
        with tempfile.TemporaryDirectory(prefix="racelab_claims.") as folder:
            script = pathlib.Path(__file__).resolve().parent.parent / "stacks/gdb/buckets.py"
            printed = self.run([script, "--program", self.build / "bin/buckets_walk", "--output", folder]).stdout
        found = {}
        for line in printed.splitlines():
            row = re.match(r"(\S+): array +(\S+) +(\d+) +(\d+) +(\d+) +(\d+)$", line)
            if row:
                found[(row[1], row[2])] = (int(row[3]), int(row[4]))
        return found

    def over_http(self, *maps):
        """{(contender, point, quantity): values by round} of the maps behind HTTP, and bare."""
        options = ["--scrape-rounds", "6", *(part for name in maps for part in ("--map", name))]
        self.repeat("cmake/bench_http.py", "--build", "build/default", *options)
        with tempfile.TemporaryDirectory(prefix="racelab_claims.") as folder:
            script = pathlib.Path(__file__).resolve().parent / "bench_http.py"
            # 1: a scrape costs too much, which is not asked here, or a request failed, which it tells.
            printed = self.run([script, "--build", self.build, "--results", folder, *options], codes=(0, 1)).stdout
            if " 0 failed" not in printed:
                raise Failure(f"bench_http.py: {printed.strip().splitlines()[-1]}")
            return values_in(f"{folder}/http_bench.csv")

    def bench(self, name, *arguments):
        """{(contender, point, quantity): values by round} of a benchmark."""
        self.repeat(f"build/default/bin/{name}_bench", "--rounds", "7", *map(shlex.quote, arguments))
        key = (name, *arguments)
        if key not in self.done:
            with tempfile.TemporaryDirectory(prefix="racelab_claims.") as folder:
                self.run([self.build / f"bin/{name}_bench", "--rounds", "7", "--results", folder, *arguments])
                values = values_in(f"{folder}/{name}_bench.csv")
                with open(f"{folder}/{name}_bench.json", encoding="utf-8") as of_bench:
                    self.built_as = json.load(of_bench)["machine"].partition(", Linux ")[2].partition(", ")[2]
            self.done[key] = values
        return self.done[key]


def values_in(file):
    """{(contender, point, quantity): values by round}"""
    values = {}
    with open(file, encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            values.setdefault((row["contender"], row["point"], row["quantity"]), []).append(float(row["value"]))
    return values


def ratio(values, contender, reference, point, quantity):
    """Of a contender over a reference, round by round."""
    a, b = (values[(each, point, quantity)] for each in (contender, reference))
    return Estimate([x / y for x, y in zip(a, b)])


def rate(row):
    return "%d of %d (%.1f to %.1f %%)" % (
        round(row["rate"] * row["trials"]), row["trials"], 100 * row["ci95"][0], 100 * row["ci95"][1])


def clean(row):
    stall = row["stall"]
    return row["reports"] == 0 and stall["intact"] == stall["trials"] and stall["pairs"] == 0


def cleanness(row):
    return "%d reports in %d trials, intact under stalls in %d of %d" % (
        row["reports"], row["trials"], row["stall"]["intact"], row["stall"]["trials"])


def at_least(claimed, seen):
    """The verdict on "so many times": the claim's number is within or below the interval, or it is not."""
    if seen.high < claimed:
        return FAILS
    return HOLDS if seen.low >= 0.9 * claimed else OPEN


# ---- The claims. Each function gets a Lab and returns a verdict and the figure that decides.

def a_process_ends(lab):
    row = lab.crash("crash_concurrent_delete", "hmap")
    fatal = row["outcomes"]["fatal"]
    return FAILS if fatal else OPEN, f"the flag ended the whole process, exit status 2, in {fatal} of {row['trials']} runs; no thread outlived it"


def near_certain(lab):
    row = lab.crash("crash_concurrent_delete", "hmap", "none", 200)
    verdict = HOLDS if row["ci95"][0] >= 0.9 else MISLEADS
    return verdict, f"as written, Go's map with its flag fails in {rate(row)}; under stalls in all"


def unsynchronised(lab):
    flagged = lab.crash("crash_concurrent_delete", "hmap", "none", 200)
    bare = lab.crash("corrupt_count_drift", "hmap_unchecked", "none", 100)
    return MISLEADS, (f"what ends the program is the flag: {flagged['outcomes']['fatal']} of {flagged['trials']} runs end by it and "
                      f"{flagged['outcomes']['crash']} by a signal; without it nothing stops, the count is wrong in "
                      f"{bare['outcomes']['corrupt']} of {bare['trials']}")


def sync_map_for_short_lived(lab):
    values = lab.bench("break_even", *BREAK_EVEN)
    writes = ratio(values, "sync_map", "mutex_shards", "entries=1000 writes=100", "ops_per_s")
    reads = ratio(values, "sync_map", "mutex_shards", "entries=1000 writes=0", "ops_per_s")
    walk = lab.remedy("crash_iterate_delete", "sync_map")
    verdict = FAILS if writes.median < reads.median else HOLDS
    return verdict, (f"over shards with a mutex: {reads.text()} times without writes, {writes.text()} times where keys come and go; "
                     f"Range runs beside deletes: {cleanness(walk)}")


def copy_on_write(lab):
    skips = lab.crash("corrupt_skipped_swap", "seed_cas_snapshot")
    row = lab.remedy("corrupt_skipped_swap", "copy_on_write_map")
    return MISLEADS, (f"only if writers take turns: a swap that may be skipped loses deletes in {rate(skips)}; "
                      f"copy_on_write_map, whose writers queue: {cleanness(row)}")


def dangling_buckets(lab):
    row = lab.crash("crash_find_grow", "unordered_map")
    return HOLDS, f"in C++: readers of a table that has been freed fail in {rate(row)} (Go's collector keeps it alive)"


def grow_work_allocates(lab):
    arrays = lab.buckets()
    by_growth, by_work = (arrays.get(("hmap", name), (0, 0)) for name in ("hashGrow", "growWork"))
    verdict = FAILS if by_growth[0] and not by_work[0] else OPEN
    return verdict, (f"arrays of buckets allocated by hashGrow {by_growth[0]} ({by_growth[1]} bytes), by growWork {by_work[0]}, "
                     "by gdb and by a heap profile alike; growWork moves what is in them")


def sync_map_with_collector(lab):
    row = lab.remedy("crash_iterate_delete", "sync_map")
    return FAILS if clean(row) else OPEN, f"sync_map walked beside deletes: {cleanness(row)}"


def one_processor(lab):
    one = lab.crash("crash_gated_delete", "hmap", "one-cpu", 100)
    many = lab.crash("crash_gated_delete", "hmap", "none", 100)
    verdict = FAILS if one["rate"] < many["rate"] else OPEN
    return verdict, f"on one processor {rate(one)}, on all {rate(many)}"


def null_two_calls_later(lab):
    row = lab.crash("crash_nil_workbuf", "seed_workbuf_pool")
    return HOLDS, f"the chain in the post does not exist, the bug does: a null from one callee, read two calls later, in {rate(row)}"


def false_positive(lab):
    row = lab.remedy("crash_iterate_delete", "sync_map", trials=50)
    return FAILS if clean(row) else OPEN, f"walk and delete of sync_map: {cleanness(row)}"


def true_races_always(lab):
    rows = [lab.crash(scenario, "unordered_map", "none", 100) for scenario in ("crash_concurrent_delete", "crash_find_grow")]
    verdict = FAILS if any(row["ci95"][1] < 1 for row in rows) else OPEN
    return verdict, "unperturbed: " + "; ".join(f"{row['scenario']} {rate(row)}" for row in rows)


def three_criteria(lab):
    document = lab.detectors("tsan")
    (detector,) = document["detectors"]
    criteria = {each["criterion"]: each for each in document["criteria"]}
    of = criteria["all three"]
    said = [f"{name} {each['precision']:.2f}, {each['recall']:.2f}" for name, each in criteria.items()]
    correct, true = of["false_positives"] + of["true_negatives"], of["true_positives"] + of["false_negatives"]
    return FAILS if of["false_positives"] else HOLDS, (
        f"of the programs that ThreadSanitizer reports, all three together call {of['false_positives']} of {correct} correct ones true, and "
        f"{of['false_negatives']} of {true} racy ones false; precision and recall: {'; '.join(said)}; ThreadSanitizer alone {detector['precision']:.2f}, {detector['recall']:.2f}")


def http_four_times(lab):
    values = lab.over_http("rw_lock_map", "mutex_map")
    over_http = ratio(values, "rw_lock_map", "mutex_map", "http", "requests_per_s")
    bare = ratio(values, "rw_lock_map", "mutex_map", "bare", "ops_per_s")
    return at_least(4, over_http), f"requests a second, read lock over mutex: {over_http.text()} times; the bare map {bare.text()} times"


def read_lock_four_times(lab):
    values = lab.bench("rw_lock", "--only", "mutex_map,rw_lock_map", "--where", "reads=100")
    one = ratio(values, "rw_lock_map", "mutex_map", "reads=100 threads=1", "ops_per_s")
    many = ratio(values, "rw_lock_map", "mutex_map", "reads=100 threads=4", "ops_per_s")
    return at_least(4, one), f"lookups under a read lock over lookups under a mutex: {one.text()} on one thread, {many.text()} on four"


def read_lock_never_blocks(lab):
    values = lab.bench("read_under_delete", "--only", "rw_lock_map,hybrid_map,copy_on_write_map")
    point = "deleters=10 readers=2"
    tail, middle = (Estimate(values[("rw_lock_map", point, f"read_ns_{q}")]) for q in ("p99.9", "p50"))
    return FAILS if tail.low > 2 * middle.high else OPEN, (
        f"a lookup under a read lock beside ten deleters: median {middle.text(0)} ns, one in a thousand {tail.text(0)} ns and more")


def mask_three_times(lab):
    values = lab.bench("mask")
    bare = ratio(values, "hash % n", "hash & mask", "what=bare", "ns")
    small = ratio(values, "hash % n", "hash & mask", "what=lookup entries=1000", "ns")
    large = ratio(values, "hash % n", "hash & mask", "what=lookup entries=1000000", "ns")
    verdict = at_least(3, small)
    return MISLEADS if verdict == FAILS and bare.low >= 3 else verdict, (
        f"the bare operation {bare.text()} times, a whole lookup {small.text()} times with 1,000 entries, {large.text()} with 1,000,000")


def hot_shard(lab):
    values = lab.bench("shards", "--only", "never split,split when hot")
    shard = ratio(values, "split when hot", "never split", "hot=shard", "ops_per_s")
    key = ratio(values, "split when hot", "never split", "hot=key", "ops_per_s")
    verdict = HOLDS if shard.low > 1 else OPEN
    return verdict, f"throughput after the split over before: a hot shard {shard.text()}, one hot key {key.text()}"


def clear_before_publish(lab):
    seed = lab.crash("crash_clear_before_publish", "seed_hybrid_cache")
    row = lab.remedy("crash_clear_before_publish", "hybrid_map")
    return FAILS, f"unsafe: the post's order fails in {rate(seed)}; build, publish, retire (hybrid_map): {cleanness(row)}"


def snapshot_reads(lab):
    values = lab.bench("read_under_delete", "--only", "rw_lock_map,hybrid_map,copy_on_write_map")
    point = "deleters=10 readers=2"
    reads = ratio(values, "rw_lock_map", "copy_on_write_map", point, "read_processor_ns")
    deletes = ratio(values, "copy_on_write_map", "rw_lock_map", point, "deletes_per_s")
    return MISLEADS, (f"lookups of a snapshot take {reads.text()} times less of a processor than under a read lock, "
                      f"and deletes get {deletes.text(4)} times as much done (the post: 3.3 and 1.16)")


def skipped_swap(lab):
    row = lab.crash("corrupt_skipped_swap", "seed_cas_snapshot")
    fixed = lab.remedy("corrupt_skipped_swap", "cas_snapshot_map")
    return FAILS, f"skipping loses deletes in {rate(row)}; always retried (cas_snapshot_map): {cleanness(fixed)}"


def collector_reclaims(lab):
    early = lab.crash("crash_clear_before_publish", "seed_hybrid_cache")
    held = memory_kept(lab)
    row = lab.remedy("crash_clear_before_publish", "cas_snapshot_map")
    return MISLEADS, (f"Go's does; C++ has none: freed by its writer at once, a snapshot that is read fails in {rate(early)}; never freed "
                      f"while one is held, {held['all deleted, each snapshot held']} MiB stay; with hazard pointers (cas_snapshot_map): {cleanness(row)}")


def tombstones(lab):
    row = lab.remedy("crash_iterate_delete", "tombstone_map")
    return HOLDS if clean(row) else FAILS, f"purged once the slowest replica has passed (tombstone_map): {cleanness(row)}"


READ_OPTIMISED = ("rw_lock_map", "sync_map", "copy_on_write_map", "hybrid_map", "bucket_snapshot_map")
BREAK_EVEN = ("--where", "entries=1000", "--seconds", "0.1", "--only", ",".join(("mutex_shards", *READ_OPTIMISED)))


def break_even(lab):
    values = lab.bench("break_even", *BREAK_EVEN)
    found = []
    for contender in READ_OPTIMISED:
        crossing = "never"
        for share in ("0", "0.01", "0.03", "0.1", "0.3", "1", "3", "10", "30", "100"):
            if ratio(values, contender, "mutex_shards", f"entries=1000 writes={share}", "ops_per_s").median < 1:
                crossing = f"by {share} % writes"
                break
        found.append(f"{contender} {crossing}")
    return FAILS, "there is no unsafe.Map; the lab's read-optimised maps fall behind 64 shards with a mutex: " + ", ".join(found)


def memory_kept(lab):
    """{step: MiB resident} of a map whose deleted entries are held by snapshots."""
    program = "programs/plain/norace_memory_kept.seed_cas_snapshot"
    lab.repeat("build/default/" + program)
    resident = {}
    for line in lab.run([lab.build / program]).stdout.splitlines():
        found = re.match(r"(.*?)\s{2,}.* ([0-9.]+) MiB resident$", line)
        if found:
            resident[found[1]] = float(found[2])
    for step in ("all deleted, each snapshot held", "trimmed too early: nothing comes back", "the map is gone", "trimmed after that"):
        if step not in resident:
            raise Failure(f"{program}: says nothing of '{step}'")
    return resident


def trimming(lab):
    resident = memory_kept(lab)
    held, early = resident["all deleted, each snapshot held"], resident["trimmed too early: nothing comes back"]
    gone, trimmed = resident["the map is gone"], resident["trimmed after that"]
    return (MISLEADS if early > 0.9 * held and trimmed < 0.5 * gone else OPEN), (
        f"true of malloc_trim(): MiB resident {held} while a snapshot is held, {early} after a trim; {gone} once all is freed, "
        f"{trimmed} after a trim. Go's FreeOSMemory forces a collection first (see below)")


CLAIMS = [
    ("1.1", "A concurrent write panics and kills the goroutine", a_process_ends),
    ("1.3", "The program is near-certain to crash", near_certain),
    ("1.4", "It crashes because delete is not synchronised", unsynchronised),
    ("1.5", "sync.Map is for short-lived keys, and has no traversal", sync_map_for_short_lived),
    ("1.6", "Copy-on-write behind one atomic pointer is safe", copy_on_write),
    ("2.2", "A pointer to the old buckets dangles", dangling_buckets),
    ("2.3", "growWork allocates the buckets", grow_work_allocates),
    ("2.4", "sync.Map fails while the collector runs", sync_map_with_collector),
    ("2.5", "One processor raises the risk", one_processor),
    ("2.6", "A nil handed out by getfull is read two calls later", null_two_calls_later),
    ("2.7", "The race detector is wrong about sync.Map's Range and Delete", false_positive),
    ("2.8", "True races reproduce every time", true_races_always),
    ("2.9", "Same field, no indirect synchronisation, reproducible: then a report is true", three_criteria),
    ("3.1", "RLock is four times as fast as Lock, serially", read_lock_four_times),
    ("3.2", "Behind HTTP a read lock gives four times the requests, too", http_four_times),
    ("3.3", "RLock never blocks", read_lock_never_blocks),
    ("3.4", "`hash & mask` is three times as fast as `hash % n`", mask_three_times),
    ("3.5", "Splitting a hot shard helps", hot_shard),
    ("3.6", "Hybrid: clear the old map, then store the new one", clear_before_publish),
    ("3.7", "Reads 38 µs instead of 124 while ten threads delete, and more deletes", snapshot_reads),
    ("4.1", "A snapshot swap that fails may be skipped", skipped_swap),
    ("4.2", "The collector reclaims old snapshots", collector_reclaims),
    ("4.3", "Tombstones, purged once the slowest replica has passed", tombstones),
    ("4.4", "unsafe.Map breaks even at 5 % writes", break_even),
    ("4.5", "FreeOSMemory returns memory and does not collect", trimming),
]


def go_findings(lab, sources):
    """What Go itself does with the post's programs: [(claim, figure, command)]."""
    go = shutil.which("go")
    if go is None:
        return None
    found = []
    with tempfile.TemporaryDirectory(prefix="racelab_claims_go.") as folder:
        environment = dict(os.environ, GOCACHE=f"{folder}/cache", GOFLAGS="-mod=mod", GO111MODULE="off")

        def trials(name, count, settings=(), build=()):
            program = f"{folder}/{name}{len(build)}"
            shown(f"go build {name}.go")
            built = subprocess.run([go, "build", *build, "-o", program, str(sources / f"{name}.go")], capture_output=True, text=True,
                                   env=environment, check=False)
            if built.returncode != 0:
                raise Failure(f"{name}.go: {built.stderr.strip().splitlines()[-1]}")
            runs = [subprocess.run([program], capture_output=True, text=True, timeout=60, check=False,
                                   env=dict(environment, **dict(settings))) for _ in range(count)]
            failed = [run for run in runs if run.returncode != 0]
            first = failed[0].stderr.splitlines()[0] if failed else "-"
            codes = sorted({run.returncode for run in failed})
            return len(failed), first, codes, sum("WARNING: DATA RACE" in run.stderr for run in runs)

        failed, first, codes, _ = trials("concurrent_delete", 100)
        found.append(("1.1", f"exit status {codes or '-'}, `{first}`", "go run repro/go/concurrent_delete.go"))
        found.append(("1.3", f"{failed} of 100 runs fail", "go run repro/go/concurrent_delete.go"))
        one, *_ = trials("concurrent_delete", 100, settings=[("GOMAXPROCS", "1")])
        found.append(("2.5", f"{one} of 100 runs fail with GOMAXPROCS=1", "GOMAXPROCS=1 go run repro/go/concurrent_delete.go"))
        failed, _, _, reports = trials("sync_map_range_delete", 20, build=["-race"])
        found.append(("2.7", f"{reports} reports, {failed} failures in 20 runs", "go run -race repro/go/sync_map_range_delete.go"))
        failed, first, _, _ = trials("clear_before_publish", 20)
        found.append(("3.6", f"{failed} of 20 runs fail: `{first}`", "go run repro/go/clear_before_publish.go"))
        with_output = subprocess.run([go, "run", str(sources / "free_os_memory.go")], capture_output=True, text=True, env=environment,
                                     check=False)
        last = (with_output.stdout or with_output.stderr).strip().splitlines() or ["no output"]
        found.append(("4.5", f"debug.FreeOSMemory(): {last[-1]}", "go run repro/go/free_os_memory.go"))
        _, _, _, reports = trials("concurrent_delete", 20, build=["-race"])
        found.append(("1.4", f"the race detector reports it in {reports} of 20 runs", "go run -race repro/go/concurrent_delete.go"))
    return found


def go_version():
    go = shutil.which("go")
    return subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout.strip() if go else ""


def machine(lab):
    """Processor, system and compiler, as the lab's own documents have them."""
    return lab.of_racelab("crash", "crash_gated_delete", "--map", "hmap", "--perturb", "one-cpu", "--no-baseline", "--trials", "100")[
        "machine"]


def document(findings, go, described):
    lines = ["# The blog post's claims, decided here", "",
             "Written by `make claims`; not by hand. Intervals are of 95 %; a ratio is the median of the ratios of seven rounds.", "",
             described, "", "| # | claim | verdict | the figure that decides | again |", "|---|---|---|---|---|"]
    for found in findings:
        again = "<br>".join(f"`{each}`" for each in found["again"])
        lines.append(f"| {found['claim']} | {found['text']} | **{found['verdict']}** | {found['figure']} | {again} |")
    lines += ["", "## Go itself", ""]
    if go is None:
        lines.append("SKIPPED: there is no Go here (Debian's package is golang-go).")
    else:
        lines += ["| # | what Go does | again |", "|---|---|---|"]
        lines += [f"| {claim} | {figure} | `{again}` |" for claim, figure, again in go]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--document", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help="numbers, such as 3.1 (default: all)")
    given = parser.parse_args()
    unknown = set(given.claims) - {number for number, _, _ in CLAIMS}
    if unknown:
        parser.error(f"no such claim: {', '.join(sorted(unknown))}")
    lab = Lab(given.build)
    sources = pathlib.Path(__file__).resolve().parent.parent / "repro" / "go"
    findings = []
    for number, text, decide in CLAIMS:
        if given.claims and number not in given.claims:
            continue
        lab.commands = []
        verdict, figure = decide(lab)
        shown("")
        findings.append({"claim": number, "text": text, "verdict": verdict, "figure": figure, "again": lab.commands})
        print(f"{number}  {text}\n     {verdict.upper()}: ", end="")
        print(textwrap.fill(figure, 120, subsequent_indent="     "))
        for command in lab.commands:
            print(f"     $ {command}")
        sys.stdout.flush()
    go = None if given.claims else go_findings(lab, sources)
    shown("")
    if not given.claims:
        if go is None:
            print("SKIPPED: Go's own answers: there is no Go here (Debian's package is golang-go)")
        else:
            print("\nGo itself")
            for claim, figure, again in go:
                print(f"{claim}  {figure}\n     $ {again}")
    if not given.document and not given.json:
        return 0
    lab.commands = []  # those of the last claim are in its finding
    about = machine(lab)
    about["compiler_and_commit"], about["go"] = lab.built_as, go_version()
    described = ", ".join(filter(None, (about["processor"], "%d processors" % about["processors"], about["system"], about["kernel"],
                                        about["compiler_and_commit"], about["go"])))
    try:
        if given.document:
            given.document.write_text(document(findings, go, described), encoding="utf-8")
        if given.json:
            given.json.write_text(json.dumps({"machine": about, "claims": findings, "go": go}, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}") from error
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"claims: {failure}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
