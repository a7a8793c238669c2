#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""links.py ROOT: every relative link and anchor in the project's pages leads somewhere inside the project, and every page
can be reached from README.md. What is on the web is not asked for. links.py --self-test: planted faults are found."""
import pathlib
import re
import sys
import tempfile
import urllib.parse

from pages import lines, pages

# [text](target "title"), ![text](target), [name]: target; the text of an image may stand in the text of a link
LINK = re.compile(r"\]\(\s*<?([^)\s>]*)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s+<?(\S+?)>?(?:\s+\".*\")?$")
ATTRIBUTE = re.compile(r"\b(?:href|src|srcset)=\"([^\"]*)\"")
CODE = re.compile(r"(`+)(?:(?!`).|(?!\1)`)*?\1(?!`)")
HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*$")
ANCHOR = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")


def slug(heading):
    """The anchor of a heading, as GitHub makes it."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    text = re.sub(r"[^\w\- ]", "", text.replace("`", "").lower())
    return text.replace(" ", "-")


def anchors(path):
    found = []
    for _, line, language in lines(path.read_text()):
        if language is None:
            if heading := HEADING.match(line):
                base = slug(heading.group(1))
                again = sum(name == base or re.fullmatch(re.escape(base) + r"-\d+", name) is not None for name in found)
                found.append(f"{base}-{again}" if again else base)
            found += ANCHOR.findall(line)
    return set(found)


def targets(path):
    """(line number, target) of every link on a page."""
    for number, line, language in lines(path.read_text()):
        if language is not None:
            continue
        line = CODE.sub("", line)
        for pattern in (LINK, REFERENCE, ATTRIBUTE):
            for target in pattern.findall(line):
                yield number, target


def check(root):
    wrong, leads_to, known = [], {}, {}
    all_pages = pages(root)
    for page in all_pages:
        leads_to[page] = set()
        for number, target in targets(page):
            if re.match(r"[a-z][a-z0-9+.-]*:|//", target):
                continue
            name, _, anchor = target.partition("#")
            to = (page.parent / urllib.parse.unquote(name)).resolve() if name else page
            place = f"{page.relative_to(root)}:{number}: {target}"
            if name.startswith("/") or not to.is_relative_to(root):
                wrong.append(f"{place} leads out of the project")
            elif not to.exists():
                wrong.append(f"{place} is not there")
            elif anchor and to.suffix == ".md" and anchor not in known.setdefault(to, anchors(to)):
                wrong.append(f"{place}: no such heading")
            leads_to[page].add(to)
    start = root / "README.md"
    reached, next_pages = {start}, [start]
    while next_pages:
        for to in leads_to.get(next_pages.pop(), set()) - reached:
            reached.add(to)
            next_pages.append(to)
    wrong += [f"{page.relative_to(root)}: no way leads here from README.md" for page in all_pages if page not in reached]
    return wrong, len(all_pages), sum(map(len, leads_to.values()))


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder).resolve()
        (root / "docs").mkdir()
        good = "# A `code`, and more\n[b](docs/b.md#two-words) ![p](p.svg) [c](https://example.org/x) `[n](none.md)`\n"
        (root / "README.md").write_text(good + "```\n[n](none.md)\n# no heading\n```\n[up](#a-code-and-more)\n")
        (root / "docs/b.md").write_text("## Two words\n## Two words\n[a](../README.md) [second](#two-words-1)\n")
        (root / "p.svg").write_text("<svg/>")
        assert check(root)[0] == [], check(root)
        for planted in ("[x](docs/none.md)", "[x](docs/b.md#three)", "[x](#no-heading)", "[x](../x.md)",
                        "![x](q.svg)", "<a href=\"docs/c.md\">", "[r]: docs/c.md"):
            (root / "README.md").write_text(good + planted + "\n")
            assert len(check(root)[0]) == 1, (planted, check(root))
        (root / "README.md").write_text(good)
        (root / "docs/alone.md").write_text("text\n")
        assert check(root)[0] == ["docs/alone.md: no way leads here from README.md"], check(root)


if sys.argv[1:] == ["--self-test"]:
    self_test()
else:
    told, page_count, link_count = check(pathlib.Path(sys.argv[1]).resolve())
    print("\n".join(told) or f"{page_count} pages, {link_count} links between them")
    sys.exit(bool(told))
