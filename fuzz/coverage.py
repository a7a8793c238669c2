#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""coverage.py FILE...: adds up what `llvm-cov export --format=lcov` wrote for each fuzzer. Prints lines and branches per
header of conclave, and the functions that were compiled and never reached: a template counts as reached where one of its
instances was."""
import re
import subprocess
import sys
from collections import defaultdict


def short(name):
    """The name without namespaces, template arguments and parameters."""
    name = re.sub(r"conclave::v\w+::", "", name).replace("(anonymous namespace)::", "").replace("operator()", "call")
    while (less := re.sub(r"<[^<>]*>", "", name)) != name:
        name = less
    return (re.sub(r"\[abi:\w+\]|\(.*", "", name).split() or ["?"])[-1]


def add(path, lines, branches, functions, names):
    header, places = None, {}
    for line in open(path):
        kind, _, rest = line.rstrip("\n").partition(":")
        if kind == "SF":
            header, places = rest.split("/include/conclave/")[1] if "/include/conclave/" in rest else None, {}
        elif header is None:
            continue
        elif kind == "DA":
            number, count = rest.split(",")[:2]
            lines[header][number] = lines[header].get(number, 0) + int(count)
        elif kind == "BRDA":
            place, taken = rest.rsplit(",", 1)
            branches[header][place] = branches[header].get(place, 0) + (0 if taken == "-" else int(taken))
        elif kind == "FN":
            number, name = rest.split(",", 1)
            places[name] = int(number)
        elif kind == "FNDA":
            count, name = rest.split(",", 1)
            place = header, places[name]
            functions[place] += int(count)
            names.setdefault(place, name.split(":")[-1])


def main(paths):
    lines, branches, functions, names = defaultdict(dict), defaultdict(dict), defaultdict(int), {}
    for path in paths:
        add(path, lines, branches, functions, names)

    def share(of):
        reached = sum(count > 0 for count in of)
        return f"{reached}/{len(of)} {100 * reached // len(of):3} %" if of else "-"

    print(f"{'header':40} {'lines':>15} {'branches':>15}")
    for header in sorted(lines):
        print(f"{header:40} {share(lines[header].values()):>15} {share(branches[header].values()):>15}")
    for title, of in ("lines", lines), ("branches", branches):
        print(f"all {title}: {share([count for each in of.values() for count in each.values()])}")

    never = sorted(place for place, count in functions.items() if count == 0)
    plain = subprocess.run(["llvm-cxxfilt-19"], input="\n".join(names[p] for p in never), text=True, capture_output=True,
                           check=True).stdout.split("\n")
    print(f"\nnever reached, {len(never)} of {len(functions)} functions:")
    by_header = defaultdict(list)
    for (header, number), name in zip(never, plain):
        by_header[header].append(f"{short(name)}:{number}")
    for header, found in by_header.items():
        print(f"{header}: " + ", ".join(found))


if __name__ == "__main__":
    main(sys.argv[1:])
