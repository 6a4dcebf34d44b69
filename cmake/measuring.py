"""What the scripts that measure share: medians with intervals, commands that have to work, and a line of progress."""
import json
import math
import pathlib
import shutil
import statistics
import subprocess
import sys


class Failure(Exception):
    """What could not be run, in one line."""


def interval_rank(n):
    """The rank k such that the k-th smallest and largest of n values enclose the median with 95 % (Conover, section 3.2)."""
    below, rank = 0.0, 0
    while rank < n:
        below += math.comb(n, rank) / 2**n
        if below > 0.025:
            break
        rank += 1
    return max(rank, 1)


class Estimate:
    """A median and its 95 % interval."""

    def __init__(self, values):
        values = sorted(values)
        rank = interval_rank(len(values))
        self.median, self.low, self.high = statistics.median(values), values[rank - 1], values[-rank]

    def text(self, digits=2, scale=1, unit=""):
        return "%.*f%s [%.*f, %.*f]" % (digits, self.median / scale, unit, digits, self.low / scale, digits, self.high / scale)


def run(command, codes=(0,)):
    """The result of `command`, a list, once it has ended. Only the exit codes in `codes` are fine."""
    words = [str(part) for part in command]
    try:
        result = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Failure(f"{words[0]}: {error.strerror}") from error
    if result.returncode not in codes:
        last = (result.stderr or result.stdout).strip().splitlines() or ["no message"]
        raise Failure(f"{pathlib.Path(words[0]).name}: exit code {result.returncode}: {last[-1]}")
    return result


def corpus_programs(catalogue, wanted):
    """Of each program of the corpus that is wanted(entry), by its name: its links under ThreadSanitizer and under the watch runtime."""
    folder = catalogue.resolve().parent
    corpus = json.loads(catalogue.read_text(encoding="utf-8"))["corpus"]
    return {each["name"]: (folder / each["tsan"], folder / each["watch"]) for each in corpus if wanted(each)}


def shown(text):
    """Says in one line, on a terminal, what is being done; an empty text takes the line away."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        print("\r\033[K" + text[: width - 1], end="", file=sys.stderr, flush=True)
