#!/usr/bin/env python3
"""Does a recipe catch again? `racelab judge --recipe` over the corpus' races and deadlocks, then `racelab replay`, many times each.

  replays.py --racelab FILE --catalogue FILE [--trials N] [--budget S] [--json FILE]

Of a program with several recipes the first is replayed, the one that `racelab judge` prints first. Races by memory order alone are left
out: x86-64 can't show them.
Exit codes: 0 each recipe caught its pair in at least 99 of 100 replays, 1 one did not, 2 something could not be run, 130 stopped.
"""
import argparse
import json
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True  # nothing is left beside the sources
from measuring import Failure, corpus_programs, run, shown  # noqa: E402


def replays_of(options, tsan, watch):
    """How many of the trials caught the pair; nothing if there was no recipe."""
    with tempfile.TemporaryDirectory(prefix="racelab-replays-") as folder:
        recipe, again = pathlib.Path(folder, "recipe.json"), pathlib.Path(folder, "again.json")
        run([options.racelab.resolve(), "judge", "--budget", options.budget, "--recipe", recipe, "--watch", watch, "--", tsan],
            codes=(0, 1))
        if not recipe.exists() or not recipe.stat().st_size:
            return None
        run([options.racelab.resolve(), "replay", recipe, "--trials", options.trials, "--json", again], codes=(0, 1))
        return json.loads(again.read_text(encoding="utf-8"))["caught"]


def main():
    parser = argparse.ArgumentParser(description="replay what the judge caught")
    parser.add_argument("--racelab", type=pathlib.Path, required=True)
    parser.add_argument("--catalogue", type=pathlib.Path, required=True)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--budget", type=float, default=30, help="seconds of each judge run")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()

    caught = {}
    programs = corpus_programs(options.catalogue, lambda each: each["truth"] == "deadlock" or each["shown"])
    for name, files in programs.items():
        shown(f"{len(caught) + 1} of {len(programs)}: {name}")
        caught[name] = replays_of(options, *files)
        shown("")
        if caught[name] != options.trials:
            print(f"  {name}: " + ("no recipe" if caught[name] is None else f"{caught[name]} of {options.trials}"), flush=True)
    replayed = [count for count in caught.values() if count is not None]
    enough = [count for count in replayed if count >= 0.99 * options.trials]
    print(f"{len(replayed)} recipes for {len(programs)} faulty programs, {options.trials} replays each: "
          f"{sum(replayed)} of {len(replayed) * options.trials} caught the pair; "
          f"{len(enough)} recipes in at least 99 of 100")
    if options.json:
        options.json.write_text(json.dumps({"trials": options.trials, "caught": caught}, indent=1) + "\n", encoding="utf-8")
    sys.exit(0 if len(enough) == len(programs) else 1)


try:
    main()
except Failure as failure:
    print(f"replays: {failure}", file=sys.stderr)
    sys.exit(2)
except KeyboardInterrupt:
    sys.exit(130)
