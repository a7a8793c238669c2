#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""formats.py ROOT: the table of formats in docs/guide/migration.md names each header that numbers one, with its number.
formats.py --self-test: planted differences are found."""
import pathlib
import re
import sys

NUMBER = re.compile(r"\bstd::uint(?:8|16)_t (?:\w+_)?(?:version|format) = (\d+);")
ROW = re.compile(r"^\| [^|]+ \| (\d+) \| [^|]*`([\w/]+\.hpp)`[^|]* \|$", re.M)


def compare(headers, page):
    """What is wrong between {header: text} and the page; how many formats there are."""
    numbers = {name: found for name, text in headers.items() if (found := NUMBER.findall(text))}
    rows = ROW.findall(page)
    named = [name for _, name in rows]
    wrong = [f"{name}: has a format ({', '.join(found)}), and is not on the page" for name, found in numbers.items()
             if name not in named]
    wrong += [f"{name}: the page says {number}, the header {numbers.get(name, 'nothing')}" for number, name in rows
              if numbers.get(name) != [number]]
    return wrong, len(rows)


def self_test():
    headers = {"a/b.hpp": "static constexpr std::uint8_t version = 2;", "c.hpp": "std::uint64_t version = 0;"}
    good = "| a thing | 2 | `a/b.hpp` |\n| rules | named | `c.hpp` |\n"
    assert compare(headers, good) == ([], 1), compare(headers, good)
    for planted in (good.replace("2", "1"), good.replace("a/b", "a/c"), "", good + "| more | 1 | `c.hpp` |\n"):
        assert compare(headers, planted)[0], planted


if sys.argv[1:] == ["--self-test"]:
    self_test()
else:
    root = pathlib.Path(sys.argv[1])
    include = root / "include/conclave"
    told, count = compare({str(path.relative_to(include)): path.read_text() for path in sorted(include.rglob("*.hpp"))},
                          (root / "docs/guide/migration.md").read_text())
    print("\n".join(told) or f"{count} formats")
    sys.exit(bool(told) or count < 8)
