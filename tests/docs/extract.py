#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""extract.py ROOT OUT: the ```cpp blocks of README.md and docs/ as one translation unit, each line known to the
compiler by its place on its page.

Of a page, the blocks below the comment `<!-- cpp: declarations -->` come first, as they stand; all others are the body of
one function that returns a status, in their order, with what tests/docs/given.hpp declares in scope. A page that declares
a main() is run by the program. A block that is a whole example already is compiled and run as that example.
extract.py --self-test: what it makes of planted pages."""
import pathlib
import re
import sys

from pages import lines, pages

MARK = re.compile(r"<!-- cpp: (.*) -->")
MAIN = re.compile(r"^int main\(\)", re.M)


class wrong(Exception):
    pass


def blocks(text):
    """(mark, first line, lines) of each block of C++."""
    mark, block, first = "", None, 0
    for number, line, language in [*lines(text), (0, "", None)]:
        if language == "cpp":
            if block is None or number != first + len(block):
                if block is not None:
                    yield mark, first, block
                    mark = ""
                block, first = [], number
            block.append(line)
            continue
        if block is not None:
            yield mark, first, block
            block, mark = None, ""
        if found := MARK.fullmatch(line.strip()):
            mark = found.group(1)
        elif line.strip():
            mark = ""


def unit(sources, examples):
    """The translation unit of {page: text}."""
    includes, out, mains = [], [], []
    for page, text in sources.items():
        name = re.sub(r"\W+", "_", page.removesuffix(".md")).lower()
        declarations, statements = [], []
        for mark, first, block in blocks(text):
            code = "\n".join(block) + "\n"
            if any(code == example for example in examples):
                continue
            if mark not in ("", "declarations"):
                raise wrong(f"{page}:{first}: what is \"{mark}\"?")
            includes += [line for line in block if line.startswith("#include")]
            block = ["" if line.startswith("#include") else line for line in block]
            if MAIN.search(code):
                mains.append(name)
            (declarations if mark else statements).extend([f'#line {first} "{page}"', *block])
        if not declarations and not statements:
            continue
        out += [f"namespace page_{name} {{", "namespace cv = conclave;", *declarations]
        if statements:
            out += ["using namespace given;", "inline cv::status statements() {", *statements,
                    "return {};", "}"]
        out += [f"}}  // namespace page_{name}", ""]
    runs = "".join(f"page_{name}::main() + " for name in mains)
    head = ["// made by tests/docs/extract.py", *sorted(set(includes)), "#include <docs/given.hpp>", ""]
    return "\n".join([*head, *out, f"int main() {{ return {runs}0; }}", ""])


def main(root, out):
    chosen = [path for path in pages(root)
              if path == root / "README.md" or path.is_relative_to(root / "docs")]
    examples = [path.read_text().split("\n", 1)[1] for path in sorted((root / "examples").glob("*.cpp"))]
    out.write_text(unit({str(path.relative_to(root)): path.read_text() for path in chosen}, examples))


def self_test():
    def has(text, *parts, examples=()):
        made = unit({"docs/a-page.md": text}, examples)
        at = 0
        for part in parts:
            at = made.find(part, at)
            assert at >= 0, (part, made)
        return made
    has("x\n```cpp\n#include <map>\nf();\n```\n", "#include <map>", "namespace page_docs_a_page", "statements()",
        '#line 3 "docs/a-page.md"\n\nf();\nreturn {};')
    has("```cpp\nf();\n```\n<!-- cpp: declarations -->\n\n```cpp\nstruct s {};\n```\n", "struct s", "statements()", "f();")
    has("<!-- cpp: declarations -->\n```cpp\nint main() { return 1; }\n```\n", "page_docs_a_page::main() + 0")
    assert "f();" not in has("```cpp\nf();\n```\n", examples=["f();\n"])
    assert "f();" not in has("```sh\nf();\n```\n")
    try:
        unit({"p.md": "<!-- cpp: else -->\n```cpp\nf();\n```\n"}, [])
    except wrong as planted:
        assert str(planted).startswith("p.md:3:"), planted
    else:
        raise AssertionError("an unknown mark passes")


if sys.argv[1:] == ["--self-test"]:
    self_test()
else:
    try:
        main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
    except wrong as told:
        sys.exit(str(told))
