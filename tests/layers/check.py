#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks what a compiler does not: the layers of include/conclave (layers.txt), where target pragmas and foreign
libraries may appear, and the licence line of every source file.

  check.py ROOT          prints every violation below ROOT, exit status 1 if there is one
  check.py --self-test   plants one violation of each kind and fails unless each is found
"""
import pathlib
import re
import subprocess
import sys
import tempfile

TABLE = pathlib.Path(__file__).with_name("layers.txt")
LICENCE = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
SOURCES = (".hpp", ".cpp", ".h", ".cmake", ".py", ".sh", ".in")
FOLDERS = ("include", "tests", "bench", "fuzz", "examples", "cmake", "vectors", ".ci")
TARGET = re.compile(r"#\s*pragma\s+(GCC\s+(push_options|pop_options|target|optimize)|clang\s+attribute)|_Pragma"
                    r"|__attribute__\s*\(\(\s*target|gnu::target|TARGET_BEGIN\s*\(\s*\"")


def matches(entry, path):
    return path.startswith(entry) if entry.endswith("/") else path == entry


def read_table():
    layers, only = [], []
    for line in TABLE.read_text().splitlines():
        words = line.split()
        if not words or words[0] == "#":
            continue
        if words[0] == "only":
            only.append((words[1], words[2:]))
        else:
            layers.append((int(words[0]), words[1]))
    return layers, only


def find_cycle(graph):
    """A list of headers that include each other in a ring, or None."""
    done = set()

    def visit(node, path):
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return None
        for following in graph.get(node, ()):
            ring = visit(following, path + [node])
            if ring:
                return ring
        done.add(node)
        return None

    for node in graph:
        ring = visit(node, [])
        if ring:
            return ring
    return None


def check_headers(root):
    layers, only = read_table()
    top = root / "include" / "conclave"
    for stray in (root / "include").iterdir():
        if stray.name != "conclave":
            yield f"include/{stray.name}: nothing but conclave/ stands at the include root"
    headers = sorted(p.relative_to(top).as_posix() for p in top.rglob("*") if p.is_file())
    place = {h: next(((n, e) for n, e in layers if matches(e, h)), None) for h in headers}
    graph = {}
    for header in headers:
        if place[header] is None:
            yield f"{header}: not in layers.txt"
            continue
        number, entry = place[header]
        text = (top / header).read_text()
        included = re.findall(r'^\s*#\s*include\s*(["<])([^">]+)[">]', text, re.M)
        graph[header] = [name[len("conclave/"):] for _, name in included if name.startswith("conclave/")]
        if any(quote == '"' for quote, _ in included):
            yield f'{header}: own headers are included as <conclave/...>, not with quotes'
        for other in graph[header]:
            if place.get(other) is None:
                yield f"{header}: includes {other}, which is not there or not in layers.txt"
            elif place[other][0] > number:
                yield f"{header} (layer {number}) includes {other} (layer {place[other][0]})"
            elif number == place[other][0] == 5 and entry != place[other][1]:
                yield f"{header}: one protocol includes another, {other}"
        for _, name in included:
            for prefix, places in only:
                if name.startswith(prefix) and not any(matches(p, header) for p in places):
                    yield f"{header}: only {', '.join(places)} may include <{name}>"
        if header != "simd/target.hpp" and TARGET.search(text):
            yield f"{header}: target pragmas and strings belong in simd/target.hpp"
    ring = find_cycle(graph)
    if ring:
        yield "cycle: " + " -> ".join(ring)


def check_licences(root):
    files = [p for folder in FOLDERS for p in (root / folder).rglob("*") if p.is_file()]
    files += [p for p in root.glob("*") if p.is_file()]
    for file in files:
        if file.suffix in SOURCES or file.name in ("CMakeLists.txt", "dev", "run"):
            if LICENCE not in "".join(file.read_text(errors="replace").splitlines()[:2]):
                yield f"{file.relative_to(root)}: the first line must say {LICENCE}"


def check(root):
    return [*check_headers(root), *check_licences(root)]


def self_test():
    line = f"// {LICENCE}\n"
    include = line + "#include <{}>\n"
    planted = {
        "result.hpp (layer 0) includes bytes.hpp (layer 1)":
            {"result.hpp": include.format("conclave/bytes.hpp"), "bytes.hpp": line},
        "which is not there": {"bytes.hpp": include.format("conclave/result.hpp")},
        "stray.hpp: not in layers.txt": {"stray.hpp": line},
        "cycle: codec/a.hpp -> codec/b.hpp -> codec/a.hpp":
            {"codec/a.hpp": include.format("conclave/codec/b.hpp"), "codec/b.hpp": include.format("conclave/codec/a.hpp")},
        "one protocol includes another": {"mls/a.hpp": include.format("conclave/sas/b.hpp"), "sas/b.hpp": line},
        "only crypto/sodium.hpp may include <sodium.h>": {"codec/a.hpp": include.format("sodium.h")},
        "belong in simd/target.hpp": {"simd/a.hpp": line + '#pragma GCC target("aes")\n'},
        "not with quotes": {"codec/a.hpp": line + '#include "b.hpp"\n'},
        "the first line must say": {"codec/a.hpp": "#pragma once\n"},
        "at the include root": {"codec/a.hpp": line, "../stray.hpp": line},
    }
    clean = {"simd/target.hpp": line + '#pragma GCC target("aes")\n', "crypto/sodium.hpp": include.format("sodium.h"),
             "bytes.hpp": include.format("conclave/result.hpp"), "result.hpp": line}
    wrong = 0
    for expected, files in [(None, clean), *planted.items()]:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                file = pathlib.Path(folder, "include/conclave", name)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            result = subprocess.run([sys.executable, __file__, folder], capture_output=True, text=True)
            good = result.returncode == 0 if expected is None else result.returncode == 1 and expected in result.stdout
            wrong += not good
            print(f"{'ok' if good else 'WRONG'}: {expected or 'a clean tree'}" + ("" if good else f"\n{result.stdout}"))
    return 1 if wrong else 0


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--self-test":
        sys.exit(self_test())
    found = check(pathlib.Path(sys.argv[1]))
    for violation in found:
        print(violation)
    print(f"{len(found)} violations")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
