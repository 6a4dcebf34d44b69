#!/usr/bin/env python3
"""Renews what a document quotes of the benchmarks' output.

  cmake/quote_results.py DOCUMENT RESULTS

A code block of DOCUMENT that follows a line `<!-- NAME_bench: WORDS | WORDS -->` is replaced by the output of that
benchmark in RESULTS/NAME_bench.txt, where `make bench` puts it: its first paragraph, and those paragraphs that hold one of
the WORDS in the order of the output; all of them if there are no WORDS. A block whose file is missing stays as it is.
"""
import pathlib
import re
import sys

BLOCK = re.compile(r"(?P<marker><!-- (?P<name>\w+_bench)(: (?P<words>[^>]+?))? -->\n+)```\n.*?```\n", re.DOTALL)


def quoted(output, words):
    """The wanted paragraphs of `output`."""
    first, *others = output.strip("\n").split("\n\n")
    if words:
        missing = [word for word in words if not any(word in paragraph for paragraph in others)]
        if missing:
            raise ValueError(f"no paragraph has {missing[0]!r}")
        others = [paragraph for paragraph in others if any(word in paragraph for word in words)]
    return "\n\n".join([first, *others])


def main():
    if len(sys.argv) != 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    document, results = map(pathlib.Path, sys.argv[1:])
    renewed, kept = [], []

    def block(match):
        source = results / f"{match['name']}.txt"
        if not source.exists():
            kept.append(match["name"])
            return match[0]
        renewed.append(match["name"])
        words = [word.strip() for word in (match["words"] or "").split("|") if word.strip()]
        try:
            text = quoted(source.read_text(encoding="utf-8"), words)
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from error
        return f"{match['marker']}```\n{text}\n```\n"

    try:
        text = BLOCK.sub(block, document.read_text(encoding="utf-8"))
        document.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        print(f"quote_results: {error}", file=sys.stderr)
        return 2
    print(f"{document}: renewed {', '.join(renewed) or 'nothing'}" + (f"; no results of {', '.join(kept)}" if kept else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
