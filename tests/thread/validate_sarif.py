#!/usr/bin/env python3
"""Validates what `racelab triage --format sarif` writes against SARIF's schema.

  validate_sarif.py RACELAB SCHEMA LOG...

All logs go into one document. What the schema can't say is checked, too: each result's rule is there and is the one that
its index names, two-sided reports show both sides, and fingerprints differ. The schema is draft 4, version 2.1.0-rtm.5,
from the npm package @microsoft/jest-sarif (MIT licence).
"""
import json
import subprocess
import sys

import jsonschema


def main():
    racelab, schema_file, *logs = sys.argv[1:]
    with open(schema_file, encoding="utf-8") as text:
        schema = json.load(text)
    document = json.loads(subprocess.run([racelab, "triage", "--format", "sarif", "--source-root", "/src", *logs],
                                         check=True, stdout=subprocess.PIPE).stdout)
    wrong = [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
             for error in jsonschema.Draft4Validator(schema).iter_errors(document)]

    run = document["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        if rules[result["ruleIndex"]] != result["ruleId"]:
            wrong.append(f"{result['ruleId']} is not rule {result['ruleIndex']}")
        if "race" in result["ruleId"] and len(result["stacks"]) < 2:
            wrong.append(f"a {result['ruleId']} with one side: {result['message']['text']}")
        for place in result["locations"] + result["relatedLocations"]:
            uri = place.get("physicalLocation", {}).get("artifactLocation", {})
            if uri.get("uri", "").startswith("tests/thread/programs/") and uri.get("uriBaseId") != "%SRCROOT%":
                wrong.append(f"{uri} is not relative to %SRCROOT%")
    prints = [result["partialFingerprints"]["racelabSignature/v1"] for result in run["results"]]
    if len(prints) != len(set(prints)):
        wrong.append("two results have one fingerprint")
    if not run["results"]:
        wrong.append("no result")
    sources = {place["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]
               for place in result["locations"] if "physicalLocation" in place}
    if "tests/thread/programs/data_race.cpp" not in sources:
        wrong.append(f"no result lies in data_race.cpp: {sorted(sources)}")

    for line in wrong:
        print(line)
    print(f"{len(run['results'])} results of {len(rules)} rules from {len(logs)} logs: {len(wrong)} findings")
    sys.exit(1 if wrong else 0)


main()
