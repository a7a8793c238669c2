#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""limits.py ROOT: docs/guide/limits.md names in its tables each limit of limits.hpp once, and no other."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
header = (root / "include/conclave/limits.hpp").read_text()
limits = re.findall(r"^(?:inline constexpr|\[\[nodiscard\]\] constexpr) [\w:]+ (\w+)", header, re.M)
page = (root / "docs/guide/limits.md").read_text().split("\n## All members alike\n")[1]
named = [name for row in re.findall(r"^\| ([^|]+) \|", page, re.M) for name in re.findall(r"`(\w+)`", row)]
wrong = [f"{name}: not on the page" for name in limits if name not in named]
wrong += [f"{name}: no limit" for name in named if name not in limits]
wrong += [f"{name}: named twice" for name in sorted(set(named)) if named.count(name) > 1]
print("\n".join(wrong) or f"{len(limits)} limits")
sys.exit(bool(wrong) or len(limits) < 50)
