#!/usr/bin/env python3
"""How racelab's own work grows: trials with jobs, parsing with the log, judging with the reports, the write flag with threads.

  growth.py --build BUILD [--document FILE] [--rounds N] [QUESTION ...]

Each question is measured at several sizes, all sizes once in a round, and its slope is that of the logarithms: 1 means twice
the work in twice the time, 0 that it does not grow. A number is the median of the rounds with its 95 % interval. QUESTION: trials,
triage, judge, flag; all without one (ten minutes on two cores). With --document a table that is not measured anew is kept.
Exit codes: 0, 2 something could not be run, 130 stopped.
"""
import argparse
import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # nothing is left beside the sources
from measuring import Estimate, Failure, run, shown  # noqa: E402


def slope(sizes, values):
    """Of the least squares' line through the logarithms."""
    x, y = [math.log(size) for size in sizes], [math.log(value) for value in values]
    middle = statistics.mean(x), statistics.mean(y)
    return sum((a - middle[0]) * (b - middle[1]) for a, b in zip(x, y)) / sum((a - middle[0]) ** 2 for a in x)


class Question:
    def __init__(self, build, folder):
        self.build, self.folder = build, folder

    def prepare(self):
        """What all sizes share."""


class Trials(Question):
    title = "Trials per second against jobs"
    unit, sizes, columns = "jobs", (1, 2, 4, 8), ("trials per second",)
    note = ("`crash_find_delete` over `std::unordered_map` under stalls. A stalled thread leaves its processor to others, so more trials at a "
            "time than processors still gain; beyond that they wait for each other.")

    def measure(self, jobs):
        trials = 60 * jobs
        start = time.monotonic()
        run([self.build / "bin/racelab", "crash", "crash_find_delete", "--map", "unordered_map", "--no-baseline",
             "--trials", trials, "--jobs", jobs], codes=(0, 1))
        return (trials / (time.monotonic() - start),)


class Triage(Question):
    title = "Reading a log against its size"
    unit, sizes, columns = "MB", (5, 20, 80), ("seconds of processor", "MB at the peak")
    note = "The same reports again and again, from many processes: memory depends on the distinct ones."

    def prepare(self):
        golden = pathlib.Path(__file__).parent.parent / "tests/thread/golden/clang-22"
        reports = "".join(file.read_text(encoding="utf-8") for file in sorted(golden.glob("*.log")))
        if "WARNING: ThreadSanitizer" not in reports:
            raise Failure(f"{golden}: no reports there")
        for size in self.sizes:
            times = size * 1_000_000 // len(reports) + 1
            with open(self.folder / f"{size}.log", "w", encoding="utf-8") as log:
                for number in range(times):
                    log.write(re.sub(r"pid=\d+", f"pid={number + 1}", reports))

    def measure(self, size):
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            child = subprocess.Popen([str(self.build / "bin/racelab"), "triage", str(self.folder / f"{size}.log"), "--format",
                                      "json"], stdout=nowhere)
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in (0, 1):
            raise Failure(f"racelab triage: exit code {child.returncode}")
        return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6


class Judge(Question):
    title = "Judging against the number of reports"
    unit, sizes, columns = "races", (1, 2, 4, 8), ("seconds", "runs of the program", "confirmed")
    note = ("A program of so many races: two threads write each variable once. Each report is aimed at in turn, and for one that is "
            "confirmed five replays and its forced runs follow.")

    def program(self, races):
        return self.folder / f"races_{races}"

    def prepare(self):
        for races in self.sizes:
            lines = ["#include <thread>"]
            for i in range(races):
                lines += [f"alignas(64) int shared_{i};", f"[[gnu::noinline]] void one_{i}() {{ shared_{i} = 1; }}",
                          f"[[gnu::noinline]] void other_{i}() {{ shared_{i} = 2; }}"]
            calls = [" ".join(f"{side}_{i}();" for i in range(races)) for side in ("one", "other")]
            lines += [f"int main() {{ std::thread a([] {{ {calls[0]} }}), b([] {{ {calls[1]} }}); a.join(); b.join(); }}", ""]
            source = self.program(races).with_suffix(".cpp")
            source.write_text("\n".join(lines), encoding="utf-8")
            run([self.build / "bin/racelab-c++", "-std=c++20", "-O1", source, "-o", self.program(races)])

    def measure(self, races):
        judged = json.loads(run([self.build / "bin/racelab", "judge", "--budget", 120, "--json", "-", "--", self.program(races)],
                                codes=(0, 1)).stdout)
        confirmed = sum(each["verdict"] == "confirmed" for each in judged["reports"])
        if confirmed == 0:
            raise Failure(f"racelab judge: none of {races} races confirmed")
        return judged["seconds"], judged["tsan_runs"] + judged["watch_runs"], confirmed


class Flag(Question):
    title = "The write flag's cost against threads"
    unit, sizes, columns = "threads", (1, 2, 4, 8), ("lookups of one map", "erase and insert, a map each")
    note = ("Time with the flag over time without, `std::unordered_map` with 1,000 keys (`flag_threads_bench`). A lookup only loads the flag, "
            "whose line all threads share.")

    def measure(self, threads):
        run([self.build / "bin/flag_threads_bench", "--rounds", 6, "--seconds", 0.05, "--where", f"threads={threads}",
             "--results", self.folder])
        values = json.loads((self.folder / "flag_threads_bench.json").read_text(encoding="utf-8"))["values"]
        speed = {(each["contender"], each["point"].split()[0]): each["median"] for each in values}
        return tuple(speed["without", what] / speed["write_flag", what]
                     for what in ("what=shared_lookups", "what=own_map_erase_insert"))


QUESTIONS = {"trials": Trials, "triage": Triage, "judge": Judge, "flag": Flag}


def table_of(question, rounds):
    question.prepare()
    measured = {size: [] for size in question.sizes}
    for number in range(rounds):
        for size in question.sizes:
            shown(f"{question.title}: round {number + 1} of {rounds}, {size} {question.unit}")
            measured[size].append(question.measure(size))
    lines = [f"| {question.unit} | " + " | ".join(question.columns) + " |", "|---" * (len(question.columns) + 1) + "|"]
    for size in question.sizes:
        values = [Estimate(column).text(2 if max(column) < 100 else 0) for column in zip(*measured[size])]
        lines.append(f"| {size} | " + " | ".join(values) + " |")
    slopes = []
    for i in range(len(question.columns)):
        medians = [statistics.median(values[i] for values in measured[size]) for size in question.sizes]
        slopes.append(f"{slope(question.sizes, medians):.2f}")
    lines.append("| **slope** | " + " | ".join(slopes) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--document", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=7, choices=range(6, 1000), metavar="N")
    parser.add_argument("questions", nargs="*", choices=[[], *QUESTIONS], metavar="QUESTION")
    given = parser.parse_args()
    build = given.build.resolve()

    text = given.document.read_text(encoding="utf-8") if given.document and given.document.exists() else ""
    sections = dict(re.findall(r"^## (.+?)\n+(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE))
    try:
        machine = run([build / "bin/mask_bench", "--quick", "--rounds", "6", "--seconds", "0.001"]).stdout.splitlines()[1]
        with tempfile.TemporaryDirectory() as folder:
            for name in given.questions or QUESTIONS:
                question = QUESTIONS[name](build, pathlib.Path(folder))
                table = table_of(question, given.rounds)
                shown("")
                print(f"\n{question.title}\n{machine}\n{table}")
                sections[question.title] = f"{machine}, {given.rounds} rounds\n\n{table}\n\n{question.note}\n\n"
    except Failure as trouble:
        print(f"growth.py: {trouble}", file=sys.stderr)
        return 2
    if given.document:
        body = "".join(f"## {each.title}\n\n{sections[each.title].strip()}\n\n" for each in QUESTIONS.values() if each.title in sections)
        given.document.write_text("# How racelab's own work grows\n\n    make performance\n\nWritten by that command, not by hand: "
                                  f"medians with 95 % intervals. A slope is that of the logarithms: 1 means twice the work in twice the time, 0 that "
                                  f"it does not grow.\n\n{body}".rstrip() + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
