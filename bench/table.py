#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints Google Benchmark's JSON as a table. Names end in the implementation, `seal/4/1200/openssl`; where one prefix was
measured for several, one column says how many times as long as `conclave` each of them took. Targets come from targets.txt.

  table.py FILE
"""
import json
import pathlib
import sys

NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def medians(benchmarks):
    """name -> ns per operation and its counters; the median where a benchmark was repeated."""
    rows = {}
    for b in benchmarks:
        if b.get("error_occurred"):
            rows[b["run_name"]] = None
        elif b["run_type"] == "iteration" and b.get("repetitions", 1) <= 1 or b.get("aggregate_name") == "median":
            rows[b["run_name"]] = b
    return rows


def prefix(name):
    return name.rpartition("/")[0]


def nanoseconds(benchmark):
    return benchmark["real_time"] * NANOSECONDS[benchmark["time_unit"]]


def time(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.3g} ns"


STANDARD = {"name", "run_name", "run_type", "repetitions", "repetition_index", "threads", "iterations", "real_time", "cpu_time",
            "time_unit", "family_index", "per_family_instance_index", "aggregate_name", "aggregate_unit", "label"}


def counters(benchmark):
    for name, value in benchmark.items():
        if name == "bytes_per_second":
            yield f"{value / 1e9:.3g} GB/s"
        elif name not in STANDARD:
            yield f"{value:g} {name}"


def targets():
    """name -> ns, or a ratio as it is printed"""
    lines = pathlib.Path(__file__).with_name("targets.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.split() for line in lines if line and not line.startswith("#"))
    return {name: f">= {value} x" if unit == "x" else time(float(value) * NANOSECONDS[unit]) for name, value, unit in rows}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        rows = medians(json.load(file)["benchmarks"])
    if not rows:
        sys.exit("no benchmark ran")
    prefixes = list(dict.fromkeys(prefix(name) for name in rows))
    width = max(map(len, rows))
    print(f"{'benchmark':{width}}  {'time':>9}  {'target':>8}  {'to conclave':>11}  counters")
    wanted = targets()
    for name, row in sorted(rows.items(), key=lambda item: prefixes.index(prefix(item[0]))):
        if row is None:
            print(f"{name:{width}}  {'failed':>9}")
            continue
        ours = rows.get(prefix(name) + "/conclave")
        ratio = f"{nanoseconds(row) / nanoseconds(ours):.2f} x" if ours and ours is not row else ""
        target = wanted.get(name.partition("/iterations:")[0], "")
        print(f"{name:{width}}  {time(nanoseconds(row)):>9}  {target:>8}  {ratio:>11}  {', '.join(counters(row))}".rstrip())
    sys.exit(1 if None in rows.values() else 0)


if __name__ == "__main__":
    main()
