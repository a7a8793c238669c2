#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""catalogue.py RESULTS: prints the catalogue beside this file with the outcome of each entry, taken from what ctest wrote
with --output-junit. Fails where a test of an entry did not run and pass."""
import pathlib
import re
import sys
import xml.etree.ElementTree

catalogue = pathlib.Path(__file__).with_suffix(".txt")


def entries(text):
    """(number, name, source, checked_in, lines below) of each entry of the first two sections."""
    for block in re.split(r"\n(?=\S)", text.split("## Rules of mls/rules.hpp")[0]):
        found = re.match(r"(B?\d+)  (.+)\n   (.+) \| (.+)((?:\n   .+)+)", block)
        if found:
            number, name, source, checked_in, below = found.groups()
            yield number, name, source, checked_in, [line.strip() for line in below.strip().splitlines()]


def main(results):
    outcome = {case.get("name"): case.get("status") for case in xml.etree.ElementTree.parse(results).iter("testcase")}
    passed = failed = open_ = 0
    for number, name, source, checked_in, tests in entries(catalogue.read_text()):
        bad = [t for t in tests if outcome.get(t) != "run"]
        if tests[0].startswith("["):
            verdict, open_ = "open", open_ + 1
        elif bad:
            verdict, failed = "FAILED", failed + 1
        else:
            verdict, passed = "passed", passed + 1
        print(f"{verdict:7}{number:>4}  {name}\n             {source}; {checked_in}")
        for test in tests:
            wrong = f"  <- {outcome.get(test, 'did not run')}" if verdict == "FAILED" and test in bad else ""
            print(f"             {test}{wrong}")
    print(f"catalogue: {passed} entries passed, {failed} failed, {open_} to come")
    return failed != 0 or passed == 0


sys.exit(main(sys.argv[1]))
