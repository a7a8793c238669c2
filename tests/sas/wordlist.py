#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The word list of spoken codes, include/conclave/sas/wordlist.hpp: checks it, or makes it out of candidates.

  wordlist.py check HEADER              prints what is wrong with the list, exit status 1 if anything is
  wordlist.py self-test                 plants one fault of each kind and fails unless each is found
  wordlist.py select COMMON RARE        prints the 2048 words to use out of two files of candidates, COMMON first

What a list must be: 2048 words of 3 to 8 letters in alphabetical order; the first four letters of each, its sound and
its spelling tell it from all others: no two begin with the same four letters, none sounds like another (equal sound()),
none turns into another by changing, leaving out or adding one letter; none is in BLOCKED.

How it was made: some four thousand English words were written down by topic, the common ones first. A word is an edge
between its first four letters and its sound, so a list without clashes is a matching of a bipartite graph, and
augmenting paths find a large one.
"""
import re
import sys

COUNT = 2048
# not to be put into somebody's mouth: insults, violence, death, illness, drugs, what is religious or of the body
BLOCKED = set("""addict alien ambush amputee asbestos assault bastard bleed blind blood bloody bomb bondage bottom breast
bullet butt cancer cannon chapel choke christ church cock coffin corpse crap crazy crime cripple crusade dagger damn dead
deaf death demon devil drug drunk dumb dwarf eskimo execute fascist fat fool gay ghetto gorilla grenade gun gypsy handcuff
hang hate hell hostage hump idiot insane jerk jesus kill knife koran lame lynch mistress molest monkey moron mosque murder
muslim naked nazi nude oriental orgasm panic penis pilgrim pimp pistol plague poison pope porn priest prison queer rape
retard rifle savage scum sex sick sin skeleton skull slave slit slut spook squaw stab stroke stupid suicide sword terror
testicle thong torture traitor tumor ugly urine vagina vampire vandal victim virgin vodka war weapon whip whore witch
zombie""".split())


def sound(word):
    """The consonants one hears, after the manner of Lawrence Philips' Metaphone but coarser: d is t, v is f, z is s."""
    s = word
    for written, said in (("kn", "n"), ("gn", "n"), ("pn", "n"), ("ps", "s"), ("wr", "r"), ("ae", "e"), ("x", "s"),
                          ("wh", "w"), ("rh", "r")):
        if s.startswith(written):
            s = said + s[len(written):]
    s = re.sub(r"([bdf-hj-np-tvz])\1", r"\1", s)
    s = re.sub(r"cc(?=[eiy])", "ks", s).replace("cc", "k")
    s = re.sub(r"m[bn]$", "m", s)
    for written, said in (("sch", "sk"), ("tch", "X"), ("ch", "X"), ("sh", "X"), ("ph", "f"), ("th", "0"), ("ck", "k"),
                          ("cq", "k")):
        s = s.replace(written, said)
    s = re.sub(r"gh(?=t|$)", "", s).replace("gh", "k")
    s = re.sub(r"dg(?=[eiy])", "j", s)
    s = re.sub(r"[stc]i(?=[ao])", "X", s)
    s = re.sub(r"[ts]ure", "Xre", s)
    s = re.sub(r"s?c(?=[eiy])", "s", s).replace("c", "k")
    s = re.sub(r"gn(?=$|ed$|s$)", "n", s)
    s = re.sub(r"g(?=[eiy])", "j", s).replace("g", "k")
    s = s.replace("stle", "sl").replace("sten", "sn")
    for written, said in (("q", "k"), ("x", "ks"), ("z", "s"), ("v", "f"), ("d", "t")):
        s = s.replace(written, said)
    s = re.sub(r"h(?![aeiouy])", "", s)
    s = re.sub(r"w(?![aeiouyX])", "", s)
    s = re.sub(r"y(?![aeiou])", "i", s)
    heard = ""
    for i, letter in enumerate(s):
        if letter in "aeiou":
            heard += "a" if i == 0 else ""
        elif i == 0 or s[i - 1] != letter:
            heard += letter
    return heard


def spellings(word):
    """What one slip of the pen may make of a word: itself with one letter unread."""
    return {word[:i] + unread + word[i + 1:] for i in range(len(word)) for unread in ("?", "")}


def faults(words):
    if len(words) != COUNT:
        yield f"{len(words)} words, not {COUNT}"
    if words != sorted(words):
        yield "not in alphabetical order"
    seen = {}
    for word in words:
        if not re.fullmatch("[a-z]{3,8}", word):
            yield f"{word}: not 3 to 8 letters"
        if word in BLOCKED:
            yield f"{word}: not a word to make people say"
        for kind, key in (("first letters", word[:4]), ("sound", sound(word))):
            if (kind, key) in seen:
                yield f"{word} and {seen[(kind, key)]}: the same {kind}"
            seen[(kind, key)] = word
    at = {}
    for word in words:
        at.setdefault(word, set()).add(word)
        for spelling in spellings(word):
            at.setdefault(spelling, set()).add(word)
    for spelling, alike in at.items():
        if len(alike) > 1 and ("?" in spelling or spelling in alike):
            yield f"{', '.join(sorted(alike))}: one letter apart"


def matching(words, common, dropped):
    by_letters = {}
    for word in sorted(words - dropped, key=lambda w: (w not in common, abs(len(w) - 6), w)):
        by_letters.setdefault(word[:4], []).append(word)
    chosen = {}

    def augment(letters, tried):
        for word in by_letters[letters]:
            heard = sound(word)
            if heard not in tried:
                tried.add(heard)
                if heard not in chosen or augment(chosen[heard][:4], tried):
                    chosen[heard] = word
                    return True
        return False

    def rank(letters):
        best = by_letters[letters][0]
        return best not in common, abs(len(best) - 6), letters

    found = 0
    for letters in sorted(by_letters, key=rank):
        found += augment(letters, set())
        if found == COUNT:
            break
    return sorted(chosen.values())


def select(common, rare):
    sys.setrecursionlimit(100000)
    common, rare = ({w for w in set(f) - BLOCKED if re.fullmatch("[a-z]{4,8}", w)} for f in (common, rare))
    dropped = set()
    while True:
        words = matching(common | rare, common, dropped)
        clashes = [f for f in faults(words) if f.endswith("one letter apart")]
        if not clashes:
            return words
        for clash in clashes:
            alike = clash.split(":")[0].split(", ")
            dropped.update(sorted(alike, key=lambda w: (w not in common, len(w)))[1:])


def read(header):
    with open(header, encoding="utf-8") as file:
        table = file.read().split("= {", 1)[1]
    return re.findall(r'"([^"]*)"', table.split("};")[0])


def self_test():
    planted = {"words, not 2048": ["able"], "not in alphabetical order": ["zebra", "able"], "not 3 to 8 letters": ["of"],
               "not a word to make people say": ["poison"],
               "the same first letters": ["carpet", "carpenter"], "the same sound": ["beat", "boat"],
               "one letter apart": ["able", "table"]}
    wrong = [text for text, given in planted.items() if not any(text in f for f in faults(given))]
    for text in wrong:
        print(f"not found: {text}")
    return 1 if wrong else 0


def main():
    if len(sys.argv) == 2 and sys.argv[1] == "self-test":
        sys.exit(self_test())
    if len(sys.argv) == 4 and sys.argv[1] == "select":
        lists = [open(name, encoding="utf-8").read().split() for name in sys.argv[2:]]
        print("\n".join(select(*lists)))
        return
    if len(sys.argv) != 3 or sys.argv[1] != "check":
        sys.exit(__doc__)
    words = read(sys.argv[2])
    found = list(dict.fromkeys(faults(words)))
    for fault in found:
        print(fault)
    print(f"{len(words)} words, {len(found)} faults")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
