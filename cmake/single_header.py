#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes conclave as one header, for hosts that would rather copy a file than a folder.

  single_header.py OUTPUT [HEADER...]    HEADER: conclave.hpp where none is named, or others such as store/sqlite.hpp

Each header stands after those it includes, and once; an .inl file stands wherever it is included. What is included under
a condition keeps it. The switches of config.hpp say, as ever, which libraries there are.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent / "include"
OURS = re.compile(r"#include <(conclave/[^>]+)>")
FOREIGN = re.compile(r"#include <[^>]+>")
LICENCE = "// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
NOTE = """{licence}
/// conclave {version} in one file, written by cmake/single_header.py: change the headers it comes from, not this.
#pragma once
"""


def pieces(name):
    """The lines of a header, each with the conditions it stands under."""
    conditions, out = [], []
    for line in (ROOT / name).read_text().splitlines():
        if re.match(r"#(if|ifdef|ifndef)\b", line):
            conditions.append(line)
        elif re.match(r"#(elif|else)\b", line):
            conditions[-1] += "\n" + line
        out.append((line, tuple(conditions)))
        if re.match(r"#endif\b", line):
            conditions.pop()
    return out


def includes(name, conditional):
    return [found[1] for line, conditions in pieces(name)
            if (found := OURS.fullmatch(line)) and bool(conditions) == conditional and not found[1].endswith(".inl")]


def reach(name, always, seen):
    """Every header that comes with this one: always, or also under some condition."""
    if name not in seen:
        seen.add(name)
        for other in includes(name, False) + ([] if always else includes(name, True)):
            reach(other, always, seen)
    return seen


class Writer:
    def __init__(self, roots):
        self.unconditional = set().union(*(reach(root, True, set()) for root in roots))
        under = {}  # what several conditions need stands before them all
        for name in set().union(*(reach(root, False, set()) for root in roots)):
            for line, conditions in pieces(name):
                if conditions and (found := OURS.fullmatch(line)) and not found[1].endswith(".inl"):
                    for other in reach(found[1], True, set()):
                        under.setdefault(other, set()).add(conditions)
        self.unconditional |= {name for name, conditions in under.items() if len(conditions) > 1}
        self.done = {}
        self.system = set()

    def expand(self, name, conditions=()):
        if name in self.done:
            if self.done[name] not in ((), conditions):
                sys.exit(f"{name} is included under {self.done[name]} and under {conditions}")
            return []
        self.done[name] = conditions
        out, body = [], []
        for other in includes(name, False):
            out += self.expand(other, conditions)
        for other in includes(name, True):  # what everybody needs stands before the condition
            for needed in sorted(reach(other, False, set()) & self.unconditional):
                out += self.expand(needed, conditions)
        for line, here in pieces(name):
            found = OURS.fullmatch(line)
            if line in (LICENCE, "#pragma once"):
                continue
            if found and found[1].endswith(".inl"):
                body += [text for text, _ in pieces(found[1]) if text != LICENCE]
            elif found:
                body += self.expand(found[1], conditions + here) if here else []
            elif FOREIGN.fullmatch(line) and not here and not conditions:
                self.system.add(line)
            else:
                body.append(line)
        return out + body + [""]


def single_header(roots):
    writer = Writer(roots)
    body = [line for root in roots for line in writer.expand(root)]
    config = (ROOT / "conclave/config.hpp").read_text()
    version = ".".join(re.findall(r"#define CONCLAVE_VERSION_\w+ (\d+)", config))
    text = "\n".join([NOTE.format(licence=LICENCE, version=version), *sorted(writer.system), "", *body])
    if left := re.search(r"#include <conclave/.*", text):
        sys.exit(f"left over: {left[0]}")
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    output = pathlib.Path(sys.argv[1])
    text = single_header([f"conclave/{name}" for name in sys.argv[2:] or ["conclave.hpp"]])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text)
    print(f"{output}: {text.count(chr(10))} lines, {len(text) // 1024} KiB")


if __name__ == "__main__":
    main()
