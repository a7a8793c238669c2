#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check.py ROOT: docs/product.md lists every behaviour by its number, with the files of tests that show it; in each of
these a test is named by that number, and no test is named by a number whose line does not name its file."""
import pathlib
import re
import sys

ROWS = [f"M{i}" for i in range(1, 26)] + [f"P{i}" for i in range(1, 7)] + [f"T{i}" for i in range(1, 7)]
PLANNED = {"M24"}


def numbers(name):
    """The rows a test is named by: 'M9, M13: ...' or 'P1 to P4: ...'."""
    found = re.match(r"((?:[MPT]\d+(?:, | to |$)?)+):", name)
    if not found:
        return set()
    out = set()
    for part in found.group(1).split(", "):
        first, _, last = part.partition(" to ")
        last = last or first
        out |= {f"{first[0]}{i}" for i in range(int(first[1:]), int(last[1:]) + 1)}
    return out


def main(root):
    listed = {}
    for line in (root / "docs/product.md").read_text().splitlines():
        if found := re.match(r"\| ([MPT]\d+) \|.*\|([^|]*)\|$", line):
            listed[found.group(1)] = set(re.findall(r"`([^`]+)`", found.group(2)))
    shown = {}
    for path in sorted((root / "tests").rglob("*.cpp")):
        file = str(path.relative_to(root / "tests"))
        for name in re.findall(r'^TEST_CASE\("([^"]+)"', path.read_text(), re.M):
            for number in numbers(name):
                shown.setdefault(number, set()).add(file)
    wrong = [f"{row}: no line in docs/product.md" for row in ROWS if row not in listed]
    wrong += [f"{row}: not a behaviour" for row in {*listed, *shown} if row not in ROWS]
    for row in ROWS:
        tests, named = shown.get(row, set()), listed.get(row, set())
        if row not in PLANNED and not tests:
            wrong.append(f"{row}: no test is named by it")
        wrong += [f"{row}: docs/product.md does not name {file}" for file in sorted(tests - named)]
        wrong += [f"{row}: no test in {file} is named by it" for file in sorted(named - tests)]
    print("\n".join(wrong) or f"{len(ROWS) - len(PLANNED)} behaviours, each with its tests")
    return bool(wrong)


sys.exit(main(pathlib.Path(sys.argv[1])))
