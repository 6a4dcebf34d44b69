#!/usr/bin/env python3
"""Makes a log of ThreadSanitizer the same in each run: reads stdin, writes stdout.

  normalise_log.py BUILD-FOLDER

Process and thread ids, addresses, offsets in modules and build ids become numbers in their order of appearance, so that
what was equal stays equal. An address inside of a heap block keeps its distance from the block's begin. The build
folder, where programs lie, becomes /build.
"""
import re
import sys


class Renamer:
    """Gives each key a number, the first one 1."""

    def __init__(self):
        self.numbers = {}

    def __call__(self, key):
        return self.numbers.setdefault(key, len(self.numbers) + 1)


def main():
    text = sys.stdin.buffer.read().decode("utf-8", "replace").replace(sys.argv[1], "/build")

    ids = Renamer()
    text = re.sub(r"\b(pid=|tid=|sp 0x[0-9a-f]+ T)(\d+)", lambda m: f"{m[1]}{1000 + ids(m[2])}", text)
    text = re.sub(r"==(\d+)==", lambda m: f"=={1000 + ids(m[1])}==", text)
    # Registers hold nothing that a log's reader could use.
    text = re.sub(r"(?m)^ ?r\w+ = 0x.*\n", "", text)

    offsets = Renamer()
    text = re.sub(r"\(([^() ]+)\+0x[0-9a-f]+\)",
                  lambda m: f"({m[1]}+{0x1000 + 16 * offsets(m[0]):#x})", text)
    text = re.sub(r" \+0x[0-9a-f]+$", " +0x10", text, flags=re.MULTILINE)
    builds = Renamer()
    text = re.sub(r"BuildId: [0-9a-f]+", lambda m: f"BuildId: {builds(m[0]):040x}", text)

    blocks = [(int(m[2], 16), int(m[1])) for m in
              re.finditer(r"(?:heap block|document) of size (\d+) at (0x[0-9a-f]+)", text)]
    addresses = Renamer()

    def address(match):
        value = int(match[0], 16)
        if value == 0:
            return match[0]
        for start, size in blocks:
            if start <= value < start + size:
                return f"{0x7b0000000000 + 0x1000 * addresses(start) + value - start:#x}"
        return f"{0x7b0000000000 + 0x1000 * addresses(value):#x}"

    text = re.sub(r"(?<!\+)0x[0-9a-f]{8,}", address, text)
    sys.stdout.write(text)


main()
