# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the checks of the pages share: which pages there are, and what of a page is code."""
import pathlib
import re

FENCE = re.compile(r"^( {0,3})(`{3,}|~{3,})\s*([\w+-]*)")


def pages(root):
    """All Markdown files of the project, the READMEs first; what was built and what is hidden is not part of it."""
    found = [path for path in sorted(root.rglob("*.md"))
             if not any(part == "build" or part.startswith(".") for part in path.relative_to(root).parts)]
    return sorted(found, key=lambda path: (path.name != "README.md", len(path.parts)))


def lines(text):
    """(number, line, language) of each line; language is None outside of fenced code, and on the fences."""
    fence = language = None
    for number, line in enumerate(text.splitlines(), 1):
        found = FENCE.match(line)
        if fence is None and found:
            fence, language = found.group(2), found.group(3)
        elif fence is not None and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            fence = None
        else:
            yield number, line, language if fence is not None else None
