#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""coverage.py FILE: reads what `llvm-cov export` wrote, prints lines and branches per header of conclave and the functions
that were compiled and never reached. A function template counts as reached where one of its instances was."""
import json
import re
import subprocess
import sys


def short(name):
    """The name without namespaces, template arguments and parameters."""
    name = re.sub(r"conclave::v\w+::", "", name)
    while (less := re.sub(r"<[^<>]*>", "", name)) != name:
        name = less
    name = re.sub(r"\(.*", "", name.replace("(anonymous namespace)::", ""))
    return name.split()[-1] if name.split() else "?"


def main(path):
    data = json.load(open(path))["data"][0]

    def header(name):
        return name.split("/include/conclave/", 1)[1] if "/include/conclave/" in name else None

    functions = {}  # (header, line): [count, mangled name]
    for f in data["functions"]:
        where = header(f["filenames"][0])
        if where:
            place = functions.setdefault((where, f["regions"][0][0]), [0, f["name"]])
            place[0] += f["count"]
    names = [mangled.split(":")[-1] for _, mangled in functions.values()]
    plain = subprocess.run(["c++filt"], input="\n".join(names), text=True, capture_output=True, check=True).stdout.split("\n")
    never = {}
    for ((where, line), (count, _)), name in zip(functions.items(), plain):
        if count == 0:
            never.setdefault(where, []).append((line, short(name)))

    sums = {"lines": [0, 0], "branches": [0, 0]}
    print(f"{'header':42} {'lines':>15} {'branches':>15}")
    for f in sorted(data["files"], key=lambda f: f["filename"]):
        where = header(f["filename"])
        if not where:
            continue
        shown = []
        for kind, total in sums.items():
            s = f["summary"][kind]
            total[0] += s["covered"]
            total[1] += s["count"]
            shown.append(f"{s['covered']}/{s['count']} {s['percent']:3.0f} %" if s["count"] else "-")
        print(f"{where:42} {shown[0]:>15} {shown[1]:>15}")
    print("all: " + ", ".join(f"{c} of {n} {kind}" for kind, (c, n) in sums.items()))
    print(f"\nnever reached, {sum(map(len, never.values()))} of {len(functions)} functions:")
    for where in sorted(never):
        print(f"{where}: " + ", ".join(f"{name}:{line}" for line, name in sorted(set(never[where]))))


if __name__ == "__main__":
    main(sys.argv[1])
