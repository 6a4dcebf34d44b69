#!/usr/bin/env python3
"""What is left of a map's lead behind a socket: `make bench-http`.

  bench_http.py --build BUILD [--results DIR] [--rounds N] [--seconds S] [--map NAME ...] [--quick]

A server for each map, all at once, on free ports, with 1,000 keys. In each round each map has its turn, in an order that is
shuffled anew: wrk asks its server by 100 connections as serve/mix.lua has it (95 % GET, 3 % PUT, 2 % DELETE), and then the same
mix runs on the bare map, without sockets, on as many threads. Ratios are taken within a round; a number is the median of the
rounds with its 95 % interval; the first round warms up and is thrown away. Afterwards one server is scraped while it is loaded,
in every other turn. --quick: one round of one second, to see that everything works.
Exit codes: 0, 1 a request failed (no answer, or one other than 2xx) or a scrape each second costs more than 1 %, 2 something could
not be run, 130 stopped.
"""
import argparse
import contextlib
import csv
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.parse

sys.dont_write_bytecode = True  # nothing is left beside the sources
from measuring import Estimate, Failure, run, shown  # noqa: E402

KEYS, CONNECTIONS, WRK_THREADS = 1_000, 100, 2
REFERENCE = "mutex_shards"
SCRAPED = "sharded_map"  # the dearest to scrape: its statistics() takes the lock of each shard
SCRAPES = 20  # a second: what one costs is below what a round can tell
ALLOWED_COST = 0.01  # of the throughput, for a scrape each second
MIX = pathlib.Path(__file__).resolve().parent.parent / "serve/mix.lua"


class Server:
    """racelab-serve over one map, gone with the `with` block."""

    def __init__(self, program, name):
        self.program, self.name, self.url = program, name, ""

    def __enter__(self):
        # A session of its own: Ctrl-C is for this script, which then stops the servers.
        self.process = subprocess.Popen([str(self.program), "--map", self.name, "--port", "0", "--preload", str(KEYS), "--no-collapse"],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            found = re.search(r"http://\S+", self.process.stdout.readline())
            if not found:
                raise Failure(f"{self.name}: {self.process.stderr.read().strip() or 'the server said nothing'}")
        except BaseException:
            self.process.kill()
            self.process.communicate()
            raise
        self.url = found[0]
        return self

    def __exit__(self, kind, error, trace):
        self.process.terminate()
        try:
            _, complaint = self.process.communicate(timeout=10)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            self.process.kill()
            self.process.communicate()
            raise Failure(f"{self.name}: the server did not stop") from None
        if kind is None and self.process.returncode != 0:
            raise Failure(f"{self.name}: the server's exit code is {self.process.returncode}: {complaint.strip()}")


class Load:
    """Runs wrk, and keeps count of what failed."""

    def __init__(self, seconds):
        self.seconds, self.requests, self.failed = seconds, 0, {}

    def on(self, server):
        """Requests a second."""
        output = run(["wrk", f"-t{WRK_THREADS}", f"-c{CONNECTIONS}", f"-d{self.seconds}s", "-s", MIX, server.url, "--", KEYS]).stdout
        found = re.search(r"^RESULT (.*)$", output, re.MULTILINE)
        if not found:
            raise Failure(f"wrk: no result: {output.strip().splitlines()[-1:]}")
        result = json.loads(found[1])
        self.requests += result["requests"]
        for kind in ("bad_status", "connect", "read", "write", "timeout"):
            if result[kind]:
                self.failed[(server.name, kind)] = self.failed.get((server.name, kind), 0) + result[kind]
        if result["requests"] == 0:
            raise Failure(f"{server.name}: no request was answered")
        return result["requests"] / result["seconds"]


class Scraper:
    """Scrapes /metrics SCRAPES times a second for as long as the `with` block lasts."""

    def __init__(self, server):
        self.address = urllib.parse.urlsplit(server.url)
        self.end, self.done, self.trouble = threading.Event(), 0, None
        self.thread = threading.Thread(target=self.scrape)

    def scrape(self):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=10)
        try:
            while not self.end.wait(1 / SCRAPES):
                connection.request("GET", "/metrics")
                answer = connection.getresponse()
                if answer.status != 200 or b"racelab_operations_total" not in answer.read():
                    raise Failure(f"/metrics: status {answer.status}")
                self.done += 1
        except (OSError, http.client.HTTPException, Failure) as trouble:
            self.trouble = trouble
        finally:
            connection.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.end.set()
        self.thread.join()
        if kind is None and (self.trouble or self.done == 0):
            raise Failure(f"scraping: {self.trouble or 'not once'}")


class Results:
    """{(contender, point, quantity): values by round}"""

    def __init__(self):
        self.values = {}

    def add(self, contender, point, quantity, value):
        self.values.setdefault((contender, point, quantity), []).append(value)

    def of(self, contender, point, quantity):
        return self.values[(contender, point, quantity)]

    def ratio(self, contender, reference, point, quantity):
        a, b = (self.of(each, point, quantity) for each in (contender, reference))
        return Estimate([x / y for x, y in zip(a, b)])

    def write(self, folder, machine):
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "http_bench.csv", "w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(("contender", "point", "quantity", "round", "value"))
            for key, values in self.values.items():
                lines.writerows((*key, number, f"{value:.9g}") for number, value in enumerate(values))
        rows = []
        for (contender, point, quantity), values in self.values.items():
            of = Estimate(values)
            rows.append({"contender": contender, "point": point, "quantity": quantity, "median": of.median, "low": of.low,
                         "high": of.high, "rounds": len(values)})
        document = {"question": "http_bench", "machine": machine, "values": rows}
        (folder / "http_bench.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def compare(program, servers, load, given):
    """Each map over HTTP and bare, round by round; the machine's line."""
    results, machine = Results(), ""
    for number in range(0 if given.quick else -1, given.rounds):  # -1 warms up
        order = list(servers)
        random.Random(number).shuffle(order)
        for turn, server in enumerate(order):
            shown(f"{'warming up' if number < 0 else f'round {number + 1} of {given.rounds}'}: {server.name}, {turn + 1} of {len(order)}")
            over_http = load.on(server)
            bare = json.loads(run([program, "--map", server.name, "--preload", KEYS, "--bare", given.bare_seconds]).stdout)
            machine = bare["machine"]
            if number >= 0:
                results.add(server.name, "http", "requests_per_s", over_http)
                results.add(server.name, "bare", "ops_per_s", bare["operations_per_s"])
    return results, machine


def scrape_cost(server, load, rounds, results):
    """What of the throughput is left while the server is scraped."""
    for number in range(rounds):
        for scraped in ((True, False), (False, True))[number % 2]:
            shown(f"scraping: round {number + 1} of {rounds}")
            if scraped:
                with Scraper(server):
                    value = load.on(server)
            else:
                value = load.on(server)
            results.add(server.name, f"scrapes={SCRAPES if scraped else 0}", "requests_per_s", value)
    pairs = zip(*(results.of(server.name, f"scrapes={n}", "requests_per_s") for n in (SCRAPES, 0)))
    return [scraped / alone for scraped, alone in pairs]


def table(results, names, reference):
    lines = ["  %-22s %10s  %-26s %12s  %s" % ("", "requests/s", f"over {reference} [95 %]", "bare Mops/s", f"over {reference} [95 %]")]
    spread = {"http": [], "bare": []}
    for name in names:
        row = ["  %-22s" % name]
        for point, quantity, form, scale in (("http", "requests_per_s", "%10.0f  %-26s", 1), ("bare", "ops_per_s", "%12.3g  %s", 1e6)):
            median = Estimate(results.of(name, point, quantity)).median
            over = results.ratio(name, reference, point, quantity)
            spread[point].append(over.median)
            row.append(form % (median / scale, "1" if name == reference else over.text(3 if over.median < 0.1 else 2)))
        lines.append(" ".join(row))
    http_spread, bare_spread = (max(each) / min(each) for each in (spread["http"], spread["bare"]))
    processors = len(os.sched_getaffinity(0))
    request, operation = (processors / Estimate(results.of(reference, *what)).median for what in (("http", "requests_per_s"), ("bare", "ops_per_s")))
    lines += ["", f"The fastest map is {http_spread:.2f} times as fast as the slowest over HTTP, and {bare_spread:.3g} times bare. Of the processors' time",
              f"a request to {reference} takes {request * 1e6:.1f} µs, wrk's part included, and the same operation on the bare map {operation * 1e9:.0f} ns."]
    return "\n".join(lines)


def measure(program, given):
    names = given.map or run([program, "--list"]).stdout.split()
    reference = REFERENCE if REFERENCE in names else names[0]
    load = Load(given.seconds)
    try:
        with contextlib.ExitStack() as running:
            servers = [running.enter_context(Server(program, name)) for name in names]
            results, machine = compare(program, servers, load, given)
            scraped = next((each for each in servers if each.name == SCRAPED), servers[0])
            left = scrape_cost(scraped, load, 1 if given.quick else given.scrape_rounds, results)
    finally:
        shown("")
    cost = Estimate([(1 - each) / SCRAPES for each in left])
    failed = sum(load.failed.values())
    text = [
        f"Over HTTP: what is left of a map's lead behind a socket?\n{machine}\n"
        f"http_bench, {given.rounds} rounds of {given.seconds} s: wrk with {WRK_THREADS} threads and {CONNECTIONS} connections; 95 % GET, "
        f"3 % PUT, 2 % DELETE; {KEYS} keys",
        table(results, names, reference),
        f"Scraping /metrics of {scraped.name}, loaded, {SCRAPES} times a second leaves {Estimate(left).text(3)} of its throughput "
        f"({len(left)} rounds):\none scrape a second costs {100 * cost.median:.3f} % [{100 * cost.low:.3f}, {100 * cost.high:.3f}].",
        f"{load.requests} requests, {failed} failed" + "".join(f"; {name}: {count} {kind}" for (name, kind), count in load.failed.items()) + ".",
    ]
    return "\n\n".join(text), results, machine, failed == 0 and cost.low <= ALLOWED_COST


def stop(*_):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--results", type=pathlib.Path, help="where http_bench.txt, .csv and .json go")
    parser.add_argument("--rounds", type=int, default=7, choices=range(6, 1000), metavar="N")
    parser.add_argument("--scrape-rounds", type=int, default=15, choices=range(6, 1000), metavar="N")
    parser.add_argument("--seconds", type=int, default=1, choices=range(1, 1000), metavar="S", help="of wrk, for each turn")
    parser.add_argument("--bare-seconds", type=float, default=0.2, metavar="S")
    parser.add_argument("--map", action="append", metavar="NAME", help="only this one; may be repeated (default: all)")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    if given.quick:
        given.rounds, given.seconds, given.bare_seconds = 1, 1, 0.1
    signal.signal(signal.SIGTERM, stop)

    try:
        if shutil.which("wrk") is None:
            raise Failure("there is no wrk (Debian's package is wrk)")
        program = given.build.resolve() / "bin/racelab-serve"
        text, results, machine, fine = measure(program, given)
        print(text)
        if given.results:
            results.write(given.results, machine)
            (given.results / "http_bench.txt").write_text(text + "\n", encoding="utf-8")
    except (Failure, OSError) as trouble:
        print(f"bench_http: {trouble}", file=sys.stderr)
        return 2
    return 0 if fine else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
