#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What conclave costs a host's compiler and its program: prints the table of docs/building.md.

  cost.py FOLDER [--compiler CXX]     CPU seconds and peak memory of one translation unit each, and its bytes once linked
"""
import argparse
import os
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
LINKED = {"sodium": "-lsodium", "botan": "-lbotan-2", "openssl": "-lcrypto"}
ALL = tuple(LINKED)
EMPTY = "int main() {}\n"
HELLO = (PROJECT / "examples/hello.cpp").read_text()
FRAMES = (HERE / "program.cpp").read_text() + "int main() { return first() ? 0 : 1; }\n"
CASES = [("nothing", "", EMPTY, ALL, []),
         ("conclave/fwd.hpp, nothing used", "#include <conclave/fwd.hpp>\n", EMPTY, ALL, []),
         ("conclave/conclave.hpp, nothing used", "#include <conclave/conclave.hpp>\n", EMPTY, ALL, []),
         ("frames alone, one suite asked for", "", FRAMES, ALL, []),
         ("a meeting (examples/hello.cpp), libsodium alone", "", HELLO, ("sodium",), []),
         ("the same without kernels", "", HELLO, ("sodium",), ["-DCONCLAVE_WITH_NATIVE=0"]),
         ("a meeting, every library and suite", "", HELLO, ALL, [])]


def measured(*command):
    """CPU seconds and peak KiB of a command and what it starts."""
    process = subprocess.Popen([str(word) for word in command])
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--compiler", default="g++")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    source, file, program = (arguments.folder / name for name in ("cost.cpp", "cost.o", "cost"))
    print("| translation unit, -O2 | CPU s | peak MiB | code and data, KiB |\n|---|---|---|---|", flush=True)
    for title, includes, text, libraries, flags in CASES:
        source.write_text(includes + text)
        switches = [f"-DCONCLAVE_WITH_{name.upper()}={int(name in libraries)}" for name in LINKED]
        base = [arguments.compiler, "-std=c++20", "-O2", "-DNDEBUG", "-I", PROJECT / "include", "-isystem",
                "/usr/include/botan-2", *switches, *flags]
        seconds, peak = measured(*base, "-c", source, "-o", file)
        measured(*base, "-Wl,--gc-sections", file, *(LINKED[name] for name in libraries), "-o", program)
        said = subprocess.run(["size", program], stdout=subprocess.PIPE, text=True, check=True).stdout
        code, data = map(int, re.search(r"\n\s*(\d+)\s+(\d+)", said).groups())
        print(f"| {title} | {seconds:.1f} | {peak // 1024} | {(code + data) // 1024} |", flush=True)


if __name__ == "__main__":
    main()
