# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Breaks each guard of the headers in turn and looks for a test that fails. One build serves all: guards.py puts every
guard under a number, a program is told by CONCLAVE_MUTANT which one to leave out.

  mutate.py prepare            write the instrumented headers into BUILD/include
  mutate.py list               the guards, by file and line, and the refusals that none of the forms fits
  mutate.py check              equivalent.txt names guards that exist; what guards.py finds in a sample is what is there
  mutate.py run [--write]      break them all, or those that --filter finds; --write puts the table into docs/mutation.md

A guard is killed by the first test that fails without it. One that no test kills survives, and has to have a reason in
equivalent.txt: else the run fails, as it does where a guard with such a reason is killed."""
import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import guards

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.txt")
TABLE = ROOT / "docs" / "mutation.md"
AREAS = ["codec", "faults", "identity", "meeting", "mls", "otp", "recording", "rules", "sas", "sframe"]


def equivalents(path=EQUIVALENT):
    """{key: reason}: a key stands at the beginning of a line, its reason is indented below."""
    out, key = {}, None
    for line in path.read_text().splitlines():
        if line.startswith("# ") or not line.strip():
            continue
        if not line.startswith(" "):
            key = line.strip()
            if key in out:
                sys.exit(f"equivalent.txt: twice: {key}")
            out[key] = ""
        elif key is not None:
            out[key] = f"{out[key]} {line.strip()}".strip()
    return out


class Test:
    def __init__(self, name, command):
        self.name, self.command = name, command

    def run(self, environment, timeout):
        with tempfile.TemporaryDirectory() as folder:  # tests that write files write them here
            begin = time.monotonic()
            try:
                done = subprocess.run(self.command, env={**os.environ, "TMPDIR": folder, **environment}, timeout=timeout,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
                return done.returncode == 0, time.monotonic() - begin
            except subprocess.TimeoutExpired:
                return False, timeout


def tests_of(build, areas):
    """Those of the release suite; what programs cost, [bounds], is no question here."""
    out = []
    for area in areas:
        program = build / "tests" / f"test_{area}"
        listed = subprocess.run([program, "~[slow]~[bounds]", "--list-test-names-only"], capture_output=True, text=True)
        names = [n for n in listed.stdout.splitlines() if n.strip()]
        if not names:
            sys.exit(f"{program} lists no tests")
        for n in names:
            escaped = re.sub(r"([][,\\])", r"\\\1", n)
            out.append(Test(f"{area}: {n}", [str(program), escaped]))
    return out


def baseline(build, tests, jobs):
    """{test: [seconds, guards that decided]}, of those that pass; kept until a program is built anew."""
    kept = build / "baseline.json"
    stamp = str(max(Path(t.command[0]).stat().st_mtime_ns for t in tests)) + f" {len(tests)}"
    if kept.exists():
        data = json.loads(kept.read_text())
        if data["stamp"] == stamp:
            return data["tests"]

    def one(test):
        with tempfile.NamedTemporaryFile() as log:
            good, seconds = test.run({"CONCLAVE_MUTATION_LOG": log.name}, 600)
            return test.name, good, seconds, [i for i, b in enumerate(Path(log.name).read_bytes()) if b]

    out = {}
    with ThreadPoolExecutor(jobs) as pool:
        for name, good, seconds, fired in pool.map(one, tests):
            if good:
                out[name] = [seconds, fired]
            else:
                print(f"fails as it is, and is left out: {name}", flush=True)
    kept.write_text(json.dumps({"stamp": stamp, "tests": out}))
    return out


def kill(number, candidates):
    """The first of the tests that fails without the guard, or None."""
    for test, seconds in candidates:
        good, _ = test.run({"CONCLAVE_MUTANT": str(number)}, 10 + 10 * seconds)
        if not good:
            return test.name
    return None


def run(build, files, wanted, areas, jobs, write):
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))  # a bound left out is no reason to take the machine's memory
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    reasons = equivalents()
    every = [g for f in files for g in f.guards]
    chosen = [g for g in every if re.search(wanted, g.key)]
    tests = {t.name: t for t in tests_of(build, areas)}
    known = baseline(build, list(tests.values()), jobs)
    by_guard = {}
    for name, (seconds, fired) in known.items():
        for number in fired:
            by_guard.setdefault(number, []).append((len(fired), seconds, name))
    # the quickest first, and among the quick those that break little else
    ordered = {n: [(tests[t], s) for _, s, t in sorted(c, key=lambda x: (x[1] > 0.5, x[1] > 0.1, x[0]))]
               for n, c in by_guard.items()}
    begin, killers = time.monotonic(), {}
    with ThreadPoolExecutor(jobs) as pool:
        for g, killer in zip(chosen, pool.map(lambda g: kill(g.number, ordered.get(g.number, [])), chosen)):
            killers[g.number] = killer
            if sys.stderr.isatty():
                print(f"\r{len(killers)} of {len(chosen)}", end="", file=sys.stderr)
    (build / "killers.json").write_text(json.dumps({g.key: killers[g.number] for g in chosen}, indent=1))

    faults, rows, total = [], [], [0, 0, 0]
    for f in files:
        mine = [g for g in chosen if g.file == f.name]
        killed = sum(killers[g.number] is not None for g in mine)
        equal = sum(killers[g.number] is None and g.key in reasons for g in mine)
        for g in mine:
            if killers[g.number] is None and g.key not in reasons:
                why = "no test makes it decide" if g.number not in ordered else "survives"
                faults.append(f"{why}: line {g.line} of {g.key}")
            if killers[g.number] is not None and g.key in reasons:
                faults.append(f"killed by {killers[g.number]}, no longer equivalent: {g.key}")
        if mine:
            rows.append(f"| {f.name} | {len(mine)} | {killed} | {equal} | {len(mine) - killed - equal} |")
            total = [total[0] + len(mine), total[1] + killed, total[2] + equal]
    faults += [f"equivalent.txt names no guard: {k}" for k in reasons if k not in {g.key for g in every}]
    rows.append(f"| **all** | **{total[0]}** | **{total[1]}** | **{total[2]}** | **{total[0] - total[1] - total[2]}** |")
    print("\n".join(["| file | guards | killed | equivalent | survive |", "|---|--:|--:|--:|--:|"] + rows + faults))
    rate = 100 * total[1] / max(total[0] - total[2], 1)
    print(f"{total[1]} of {total[0] - total[2]} guards killed, {rate:.1f} %, {total[2]} equivalent; "
          f"{len(known)} tests, {time.monotonic() - begin:.0f} s")
    if write:
        text = TABLE.read_text()
        head, _, rest = text.partition("| file | guards |")
        tail = rest.split("\n\n", 1)[1] if "\n\n" in rest else ""
        TABLE.write_text(head + "\n".join(["| file | guards | killed | equivalent | survive |", "|---|--:|--:|--:|--:|"]
                                          + rows) + "\n" + (f"\n{tail}" if tail else ""))
    return 1 if faults or not chosen else 0


SAMPLE = '''#pragma once
status a(int x, int y) {
  if (x == 1 || (y == 2 || y == 3)) return errc::malformed;
  if (const auto z = x; z > 3 && y > 3) return failure{errc::refused, rules::z};
  if (x) { y = 1; return {}; }
  CONCLAVE_CHECK(b(x, [&](int k) { if (k == 7) return false; return true; }));
  if (x > 9) return {}; else return errc::refused;  // if (no) return errc::code;
  const char* text = "if (no) return errc::text;";
  return x == 4 ? status{} : errc::refused;
}
result<int> c(int x) {
  switch (x) {
    case 1: return 2;
    default: return failure{errc::unsupported};
  }
}
#define IF(x) if (x) return errc::directive;
'''
SAMPLE_KEYS = ["if (x == 1) return errc::malformed;", "if ((y == 2 || y == 3)) return errc::malformed;",
               "if (z > 3 && y > 3) return failure{errc::refused, rules::z};",
               "CONCLAVE_CHECK(b(x, [&](int k) { if (k == 7) return false; return true; }))", "if (k == 7) return false;",
               "if (!(x > 9)) return errc::refused;", "x == 4 ? status{} : errc::refused",
               "return failure{errc::unsupported};"]


def check(files):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.hpp"
        path.write_text(SAMPLE)
        found = guards.File(path, "sample.hpp", 0)
    keys = sorted(g.key.removeprefix("sample.hpp: ") for g in found.guards)
    faults = [f"in the sample: {k}" for k in set(keys) ^ set(SAMPLE_KEYS)]
    known = {g.key for f in files for g in f.guards}
    reasons = equivalents()
    faults += [f"equivalent.txt names no guard: {k}" for k in reasons if k not in known]
    faults += [f"equivalent.txt gives no reason: {k}" for k, why in reasons.items() if not why]
    faults += [f"only {len(known)} guards" for _ in [0] if len(known) < 900]
    print("\n".join(faults or [f"{len(known)} guards, {len(reasons)} of them equivalent"]))
    return 1 if faults else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["prepare", "list", "check", "run"])
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "mutation")
    parser.add_argument("--filter", default="", help="a regular expression over file, condition and refusal")
    parser.add_argument("--areas", type=lambda text: text.split(","), default=AREAS, help="whose tests run: mls,faults")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    files = guards.read(ROOT / "include")
    if options.command == "check":
        return check(files)
    if options.command == "prepare":
        guards.write(ROOT / "include", files, options.build / "include")
        return 0
    if options.command == "run":
        return run(options.build, files, options.filter, options.areas, options.jobs, options.write)
    for f in files:
        for g in f.guards:
            if re.search(options.filter, g.key):
                print(f"{g.number:5} {g.line:4} {g.key}")
    forms = [g.form for f in files for g in f.guards]
    print(", ".join(f"{forms.count(x)} {x}" for x in sorted(set(forms))) + f"; {len(forms)} guards")
    for f in files:
        for line, text in f.uncovered:
            print(f"no guard: line {line} of {f.name}: {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
