#!/usr/bin/env python3
"""Soundness soak: `racelab judge` over correct programs, again and again. Nothing may ever be confirmed.

  soak.py --racelab FILE --catalogue FILE [--runs N] [--jobs N] [--budget S] [--state FILE] [--evidence DIR]

The programs are those of the corpus that have no race. Each run is a line of the state file, so that a soak that was stopped goes
on where it was; the run's number is its seed, and what is run is the program that was run least. Several go on at a time, for a judge
mostly waits for threads that it stalls. A run that confirms anything is a failure: its JSON, its output and what its runs logged stay
in the evidence folder.
Exit codes: 0 nothing was confirmed, 1 something was, 2 a run failed otherwise, 130 stopped.
"""
import argparse
import collections
import concurrent.futures
import json
import math
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # nothing is left beside the sources
from measuring import corpus_programs  # noqa: E402


def upper_bound(events, trials):
    """Of the rate, one-sided 95 %: the largest with which so few events would come in one of twenty soaks (Clopper, Pearson)."""
    if trials == 0 or events == trials:
        return 1.0

    def at_most(rate):
        return math.fsum(math.exp(math.lgamma(trials + 1) - math.lgamma(i + 1) - math.lgamma(trials - i + 1)
                                  + i * math.log(rate) + (trials - i) * math.log1p(-rate)) for i in range(events + 1))

    low, high = 1e-12, 1 - 1e-12
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(middle) > 0.05 else (low, middle)
    return high


def correct_programs(catalogue):
    programs = corpus_programs(catalogue, lambda each: each["truth"] == "no race")
    missing = [str(file) for files in programs.values() for file in files if not file.exists()]
    if missing or not programs:
        sys.exit(f"soak: {missing[0] if missing else catalogue}: not built (make soak builds it)")
    return programs


def known_runs(state):
    """What the file tells. A line that was being written when the machine stopped is taken away."""
    if not state.exists():
        return []
    text = state.read_bytes()
    whole = text[:text.rfind(b"\n") + 1]
    if len(whole) != len(text):
        state.write_bytes(whole)
    return [json.loads(line) for line in whole.splitlines()]


class Stop:
    """SIGINT and SIGTERM: handed on to the judges that run, which take away what they started."""

    def __init__(self):
        self.asked = False
        self.judges = []
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.ask)

    def ask(self, _number, _frame):
        self.asked = True
        for judge in list(self.judges):
            judge.send_signal(signal.SIGINT)

    def run(self, command):
        judge = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        self.judges.append(judge)
        if self.asked:  # it may have been asked before the judge was there
            judge.send_signal(signal.SIGINT)
        output, errors = judge.communicate()
        self.judges.remove(judge)
        return judge.returncode, output, errors


def judge_once(options, stop, name, files, seed):
    """One run as a line of the state file; nothing if it was stopped."""
    with tempfile.TemporaryDirectory(prefix="racelab-soak-") as folder:
        document = pathlib.Path(folder, "judge.json")
        command = [options.racelab.resolve(), "judge", "--budget", str(options.budget), "--seed", str(seed), "--json", document,
                   "--logs", folder, "--watch", files[1], "--", files[0]]
        start = time.monotonic()
        code, output, errors = stop.run(command)
        if stop.asked:
            return None
        run = {"program": name, "seed": seed, "budget": options.budget, "exit": code,
               "seconds": round(time.monotonic() - start, 2)}
        if code in (0, 1):
            judged = json.loads(document.read_text(encoding="utf-8"))
            run.update(verdict=judged["verdict"], tsan_runs=judged["tsan_runs"], watch_runs=judged["watch_runs"])
        if code != 0:
            kept = options.evidence / f"{seed}-{name}"
            shutil.copytree(folder, kept, dirs_exist_ok=True)
            kept.joinpath("stdout").write_bytes(output)
            kept.joinpath("stderr").write_bytes(errors)
            kept.joinpath("command").write_text(" ".join(map(str, command)) + "\n", encoding="utf-8")
            run["evidence"] = str(kept)
        return run


def tell(runs, programs):
    """The summary, and the exit code."""
    confirmed = [run for run in runs if run["exit"] == 1]
    failed = [run for run in runs if run["exit"] not in (0, 1)]
    judged = len(runs) - len(failed)
    verdicts = collections.Counter(run["verdict"] for run in runs if "verdict" in run)
    print(f"{judged} judge runs over {len(programs)} correct programs: {len(confirmed)} confirmed; "
          f"at most {100 * upper_bound(len(confirmed), judged):.4f} % are (95 %)")
    print("  " + ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common()))
    print(f"  {sum(run.get('watch_runs', 0) for run in runs)} watched runs, "
          f"{sum(run.get('tsan_runs', 0) for run in runs)} under ThreadSanitizer, "
          f"{sum(run['seconds'] for run in runs) / 3600:.2f} hours")
    for run in confirmed + failed:
        print(f"  exit {run['exit']}: {run['program']}, seed {run['seed']}: {run['evidence']}")
    return 1 if confirmed else 2 if failed else 0


def main():
    parser = argparse.ArgumentParser(description="judge correct programs: nothing may be confirmed")
    parser.add_argument("--racelab", type=pathlib.Path, required=True)
    parser.add_argument("--catalogue", type=pathlib.Path, required=True)
    parser.add_argument("--runs", type=int, default=10_000, help="in all, those of earlier times included")
    parser.add_argument("--jobs", type=int, default=1, help="judges at a time")
    parser.add_argument("--budget", type=float, default=0.5, help="seconds of each")
    parser.add_argument("--state", type=pathlib.Path, default=pathlib.Path("soak.jsonl"))
    parser.add_argument("--evidence", type=pathlib.Path, default=pathlib.Path("soak-evidence"))
    options = parser.parse_args()

    programs = correct_programs(options.catalogue)
    runs = known_runs(options.state)
    counts = collections.Counter({name: 0 for name in programs})
    counts.update(run["program"] for run in runs if run["program"] in programs)
    stop = Stop()
    begun = len(runs)
    seed = 1 + max((run["seed"] for run in runs), default=-1)
    with open(options.state, "a", encoding="utf-8") as state, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        pending = set()
        while True:
            while begun < options.runs and len(pending) < options.jobs and not stop.asked:
                name = min(counts, key=lambda each: (counts[each], each))
                pending.add(pool.submit(judge_once, options, stop, name, programs[name], seed))
                counts[name] += 1
                begun += 1
                seed += 1
            if not pending:
                break
            done, pending = concurrent.futures.wait(pending, return_when=concurrent.futures.FIRST_COMPLETED)
            for run in filter(None, (each.result() for each in done)):
                runs.append(run)
                state.write(json.dumps(run) + "\n")
                state.flush()
                os.fsync(state.fileno())
            if sys.stderr.isatty():
                print(f"\r{len(runs)} of {options.runs}, "
                      f"{sum(1 for each in runs if each['exit'] == 1)} confirmed", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    code = tell(runs, programs)
    sys.exit(130 if stop.asked and code == 0 else code)


main()
