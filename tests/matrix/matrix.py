#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Walks rows.txt and prints it as a table with results and the CPU time each row took.

  matrix.py FOLDER [--ci] [--row ROW]...   FOLDER: for what is built; --ci: the rows that CI walks; --row: these rows only
  matrix.py --self-test                    plants what the row `names` is to find, and fails unless it is found
"""
import argparse
import collections
import pathlib
import re
import resource
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
INCLUDE = PROJECT / "include"
WARNINGS = "-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Werror".split()
LINKED = {"sodium": "-lsodium", "botan": "-lbotan-2", "openssl": "-lcrypto"}
EMULATORS = {"aarch64": ("qemu-aarch64", "-cpu", "max"), "i686": ("qemu-i386",), "s390x": ("qemu-s390x",)}
# What compilers that call themselves __GNUC__ alone know, and CONCLAVE_WITH_GNU=0 leaves nothing of; errno is a macro.
EXTENSION = re.compile(r"\b__(?!errno_location)\w+|\bgnu::\w+|#\s*pragma (?!once)[^\n]*|_Pragma|\basm\b")

Row = collections.namedtuple("Row", "name where what compiler standard libraries flags")


def read_rows():
    rows = []
    for line in (HERE / "rows.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            words = line.split()
            libraries = () if words[5] == "-" else tuple(words[5].split(","))
            rows.append(Row(*words[:5], libraries, words[6:]))
    return rows


class Failed(Exception):
    pass


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **options)
    if done.returncode != 0:
        raise Failed(" ".join(map(str, command)) + "\n" + done.stdout)
    return done.stdout


def base(row, include=INCLUDE):
    switches = [f"-DCONCLAVE_WITH_{name.upper()}={int(name in row.libraries)}" for name in LINKED]
    botan = ["-isystem", "/usr/include/botan-2"] if "botan" in row.libraries else []
    return [row.compiler, f"-std={row.standard}", "-I", include, *botan, *switches, *WARNINGS, *row.flags]


def everything(row, folder):
    complete = folder / "complete.cpp"
    complete.write_text(f'#include "{HERE / "everything.cpp"}"\n' + complete_types(row))
    run(*base(row), "-fsyntax-only", complete)
    return "type-checks"


def complete_types(row):
    """An assertion for each type that fwd.hpp declares: that it exists."""
    out, space = [], []
    for line in (INCLUDE / "conclave/fwd.hpp").read_text().splitlines():
        if found := re.match(r"namespace (\w+) {", line):
            space.append(found[1])
        elif re.match(r"}  // namespace \w+$", line) and space:
            space.pop()
        elif found := re.match(r"(?:class|struct|enum class|using) (\w+)", line):
            name = "::".join(["conclave", *space, found[1]])
            if not found[1].startswith("basic_") and found[1] != "result" and \
                    not (found[1] in ("botan_hotp", "second_factor") and "botan" not in row.libraries):
                out.append(f"static_assert(sizeof({name}) > 0);")
    return "\n".join(out) + "\n"


def foreign(header):
    """What a header of ours needs beyond the standard library, by its own includes and those of what it includes."""
    seen, needs, todo = set(), set(), [header]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for other in re.findall(r"#include <([^>]+)>", (INCLUDE / name).read_text()):
            if other.startswith("conclave/"):
                todo.append(other)
            elif found := re.match(r"sodium|botan|openssl|sqlite3|nlohmann|hiredis", other):
                needs.add(found[0])
    if "conclave/crypto/provider.hpp" in seen:  # its adapters come and go, but not without libsodium
        needs = {"sodium"}
    return needs


def portable(row, folder):
    headers = sorted(str(path.relative_to(INCLUDE)) for path in INCLUDE.rglob("*.hpp"))
    fit = [name for name in headers if foreign(name) <= set(row.libraries)]
    source = folder / "portable.cpp"
    source.write_text("".join(f"#include <{name}>\n" for name in fit))
    run(*base(row), "-fsyntax-only", source)
    return f"{len(fit)} of {len(headers)} headers type-check"


def object_file(row, folder, name, include=INCLUDE):
    run(*base(row, include), f"-DPROGRAM={name}", "-c", HERE / "program.cpp", "-o", folder / f"{name}.o")
    return folder / f"{name}.o"


def linked(row, folder, *objects):
    run(*base(row), HERE / "main.cpp", *objects, *(LINKED[name] for name in row.libraries), "-o", folder / "program")
    run(folder / "program")


def program(row, folder):
    linked(row, folder, object_file(row, folder, "first"), object_file(row, folder, "second"))
    return "runs"


def versions(row, folder):
    later = folder / "later"
    shutil.copytree(INCLUDE, later)
    config = later / "conclave/config.hpp"
    text = config.read_text()
    config.write_text(re.sub(r"(#define CONCLAVE_VERSION_PATCH )(\d+)", lambda m: m[1] + str(int(m[2]) + 1), text))
    objects = object_file(row, folder, "first"), object_file(row, folder, "second", later)
    symbols = [{line.split()[-1] for line in run("nm", "--defined-only", file).splitlines()} for file in objects]
    ours = [{name for name in names if "conclave" in name} for names in symbols]
    if not all(ours) or ours[0] & ours[1]:
        raise Failed(f"in both: {sorted(ours[0] & ours[1])[:5]}")
    linked(row, folder, *objects)
    return f"runs; {len(ours[0])} and {len(ours[1])} symbols, none shared"


def emulated(row, folder):
    for name in ("catch2", "nlohmann"):  # alone: /usr/include belongs to this machine's architecture
        (folder / name).symlink_to(pathlib.Path("/usr/include") / name)
    run(*base(row), "-O0", "-static", "-I", PROJECT / "tests", "-isystem", folder, "-Wno-shadow",
        f'-DCONCLAVE_VECTORS="{PROJECT / "vectors"}"', '-DCONCLAVE_EXTRA_VECTORS=""', HERE / "portable.cpp", "-o",
        folder / "test")
    said = run(*EMULATORS[row.compiler.split("-")[0]], folder / "test", "--warn", "NoAssertions")
    return re.search(r"All tests passed \((.*)\)", said)[1]


def own_lines(text):
    """What the preprocessor made of files below `include`, alone."""
    ours, out = False, []
    for line in text.splitlines():
        if found := re.match(r'# \d+ "([^"]*)"', line):
            ours = "/include/conclave/" in found[1]
        elif ours:
            out.append(line)
    return out


def leaks(lines, extensions):
    """The names in preprocessed lines that a host could run into."""
    found, code = [], []
    for line in lines:
        if match := re.match(r"#define (\w+)", line):
            if not match[1].startswith("CONCLAVE_"):
                found.append(f"macro {match[1]}")
        elif not line.startswith("#"):
            code.append(line)
        elif not extensions and EXTENSION.search(line):
            found.append(line)
    text = "\n".join(code)
    if not extensions:
        plain = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
        found += sorted(set(EXTENSION.findall(plain)))
    text = re.sub(r'"(?:[^"\\]|\\.)*"' + r"|(?<!\w)'(?:[^'\\]|\\.)+'", "0", text)
    depth, outside = 0, []
    for token in re.findall(r"[{}]|[^{}]+", text):
        if token == "}":
            depth -= 1
        elif token == "{":
            depth += 1
        elif depth == 0:
            outside.append(token)
    allowed = re.compile(r"\s*(namespace conclave::inline \w+(::\w+)*\s*|;\s*)?")
    found += [f"outside conclave: {' '.join(piece.split())[:80]}" for piece in outside if not allowed.fullmatch(piece)]
    return found + ([f"{depth} braces too many"] if depth else [])


def names(row, folder):
    text = run(*base(row), "-Wno-error", "-E", "-dD", HERE / "everything.cpp")
    lines = own_lines(text)
    extensions = "-DCONCLAVE_WITH_GNU=0" not in row.flags
    if found := leaks(lines, extensions):
        raise Failed("\n".join(found[:20]))
    macros = sum(line.startswith("#define ") for line in lines)
    return f"{len(lines)} lines, {macros} macros: none" + ("" if extensions else ", nor an extension")


def self_test():
    good = ["#define CONCLAVE_A 1", "namespace conclave::inline v0 {", "constexpr char c = '{';", "}"]
    planted = {"#define A 1": True, "struct a {};": True, "using namespace std;": True,
               "namespace other { int a; }": True, "template <> struct std::hash<int> {};": True,
               'namespace conclave::inline v0 { inline void f() { __asm__(""); } }': False,
               "namespace conclave::inline v0 { [[gnu::noinline]] void f(); }": False}
    assert not leaks(good, True) and not leaks(good, False), leaks(good, False)
    for line, extensions in planted.items():
        assert leaks([*good, line], extensions), line
    print(f"{len(planted)} planted, {len(planted)} found")


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--ci", action="store_true")
    parser.add_argument("--row", action="append")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    rows = [row for row in read_rows() if (not arguments.ci or row.where == "ci") and
            (not arguments.row or row.name in arguments.row)]
    if not rows:
        sys.exit("no such row")
    bad = []
    print("| row | where | compiler | standard | libraries | flags | outcome | CPU s |\n" + "|---" * 8 + "|", flush=True)
    for row in rows:
        folder = arguments.folder.resolve() / row.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        before = cpu()
        try:
            outcome = globals()[row.what](row, folder)
        except Failed as problem:
            bad.append((row.name, problem))
            outcome = "FAILED"
        print(f"| {row.name} | {row.where} | {row.compiler} | {row.standard} | {', '.join(row.libraries) or 'none'} | "
              f"{' '.join(row.flags)} | {outcome} | {cpu() - before:.0f} |", flush=True)
    for name, problem in bad:
        print(f"\n{name}: {str(problem)[:4000]}")
    print(f"{len(rows) - len(bad)} of {len(rows)} rows hold")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
