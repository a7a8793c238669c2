# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Finds the guards of the headers, the places where something is refused, and writes headers in which each of them can be
switched off by its number, CONCLAVE_MUTANT, when a program starts. Four forms are recognised:

  if (A || B) return failure{...};     A and B are a guard each; also under another statement, or in the else branch
  CONCLAVE_CHECK(f());                 what f() refuses is ignored
  return A ? status{} : failure{...};  A is taken for true, or for false where the refusal comes first
  return failure{...};                 under no condition of its own, in a function that returns a result: it succeeds

A guard's number counts only when its condition decides against the input: `(A) && holds(n)`."""
import re
from pathlib import Path

# Numbers that a file has for its guards: where one changes, the others keep theirs and are not compiled again.
SHARE = 256

FOLDERS = ["codec", "identity", "meeting", "mls", "otp", "sas", "sframe"]

# Guards whose branch does not return what a refusal looks like: file, condition
FURTHER = {("otp/totp.hpp", "last_used && c.step <= *last_used"), ("otp/sign_in.hpp", "const auto until = throttled_until(r, now)")}

TOKEN = re.compile(r"""
    (?P<space>\s+|//[^\n]*|/\*.*?\*/|^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*)
  | (?P<text>(?:u8|[LuU])?(?:R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))
  | (?P<word>[A-Za-z_]\w*)
  | (?P<number>\d(?:['\w.]|[eE][+-])*)
  | (?P<mark>\|\||&&|::|->|<=>|[=!<>]=|\+\+|--|[-+*/%&|^]=|.)
""", re.X | re.S | re.M)
PAIRS = {"(": ")", "[": "]", "{": "}"}

REFUSING_WORDS = {"errc", "failure", "error", "refused", "refuse", "waits", "give_up"}
REFUSING_VALUES = {"false", "std :: nullopt", "nullptr"}


class Token:
    __slots__ = ("text", "start", "end", "close")

    def __init__(self, text, start, end):
        self.text, self.start, self.end, self.close = text, start, end, None


class Guard:
    """key: file, condition and what follows, as the source has them, without line breaks: it survives other edits."""

    def __init__(self, number, form, key, file, line):
        self.number, self.form, self.key, self.file, self.line = number, form, key, file, line


def tokens_of(source):
    out = [Token(m.group(), m.start(), m.end()) for m in TOKEN.finditer(source) if m.lastgroup != "space"]
    out = [t for t in out if t.text.strip()]
    stack = []
    for i, t in enumerate(out):
        if t.text in PAIRS:
            stack.append(i)
        elif stack and t.text == PAIRS[out[stack[-1]].text]:
            out[stack.pop()].close = i
    return out


class File:
    def __init__(self, path, name, number):
        self.name, self.source, self.next = name, path.read_text(), number
        self.t = tokens_of(self.source)
        self.guards, self.inserted, self.uncovered = [], [], []
        self.taken = set()  # `return` tokens that belong to a guard
        self.keys = {}
        texts = [t.text for t in self.t]
        self.local_failures = {texts[i + 1] for i in range(len(texts) - 2) if texts[i] == "failure" and texts[i + 2] in "{="
                               and re.match(r"[a-z]\w*$", texts[i + 1])}
        for i, t in enumerate(self.t):
            if t.text == "if" and self.t[i + 1].text == "(":
                self.branch(i)
            elif t.text == "CONCLAVE_CHECK" and self.t[i + 1].text == "(" and not self.directive(i):
                self.check(i)
            elif t.text == "?":
                self.choice(i)
        self.rest()

    # ---- reading ---------------------------------------------------------------------------------------------------

    def words(self, a, b):
        return self.source[self.t[a].start:self.t[b - 1].end] if b > a else ""

    def plain(self, a, b):
        return " ".join(self.words(a, b).split())

    def skip(self, i):
        """The token behind the one at i, or behind its bracket."""
        return (self.t[i].close if self.t[i].close is not None else i) + 1

    def top(self, a, b, text):
        out = []
        while a < b:
            if self.t[a].text == text:
                out.append(a)
            a = self.skip(a)
        return out

    def statement_end(self, i):
        """Behind the statement that begins at i."""
        t = self.t[i].text
        if t == "{":
            return self.t[i].close + 1
        if t in ("if", "for", "while", "switch"):
            j = i + 2 if self.t[i + 1].text == "constexpr" else i + 1
            j = self.statement_end(self.t[j].close + 1)
            if t == "if" and j < len(self.t) and self.t[j].text == "else":
                j = self.statement_end(j + 1)
            return j
        while self.t[i].text != ";":
            i = self.skip(i)
        return i + 1

    def refuses(self, a, b):
        """Whether the expression [a, b) is a refusal, and not a choice between one and something else."""
        if b <= a or self.top(a, b, "?"):
            return False
        texts = [t.text for t in self.t[a:b]]
        joined = " ".join(texts)
        return (joined in REFUSING_VALUES or bool(REFUSING_WORDS & set(texts)) or "rules ::" in joined
                or texts[0] in self.local_failures)

    def refusal_in(self, a, b):
        """The return or assignment of a refusal that the statement [a, b) consists of, or ends in: its tokens."""
        if self.t[a].text == "{":
            i, last = a + 1, None
            while i < b - 1:
                end = self.statement_end(i)
                last, i = (i, end), end
            return self.refusal_in(*last) if last else None
        if self.t[a].text == "return" and self.refuses(a + 1, b - 1):
            return (a, b)
        equal = self.top(a, b, "=")
        if equal and self.t[a].text not in ("for", "while", "const", "auto") and self.t[equal[0] + 1].text == "failure":
            return (a, b)
        return None

    def directive(self, i):
        return self.source.rfind("\n#", 0, self.t[i].start) > self.source.rfind("\n", 0, self.t[i].start) - 2

    # ---- writing ---------------------------------------------------------------------------------------------------

    def guard(self, form, where, key):
        key = f"{self.name}: {key}"
        self.keys[key] = self.keys.get(key, 0) + 1
        if self.keys[key] > 1:
            key += f" #{self.keys[key]}"
        line = self.source.count("\n", 0, self.t[where].start) + 1
        self.guards.append(Guard(self.next, form, key, self.name, line))
        self.next += 1
        return self.guards[-1].number

    def around(self, a, b, before, after):
        self.inserted.append((self.t[a].start, 1, before))
        self.inserted.append((self.t[b - 1].end, 0, after))

    def condition(self, a, b, then):
        """The operands of the condition [a, b), each a guard."""
        semicolons = self.top(a, b, ";")
        if semicolons:
            a = semicolons[-1] + 1
        elif self.top(a, b, "="):  # a declaration is its own condition
            name = self.t[self.top(a, b, "=")[0] - 1].text
            n = self.guard("if", a, f"if ({self.plain(a, b)}) {then}")
            self.inserted.append((self.t[b - 1].end, 0, f"; static_cast<bool>({name}) && ::conclave_mutation::holds({n})"))
            return
        start = a
        for end in self.top(a, b, "||") + [b]:
            n = self.guard("if", start, f"if ({self.plain(start, end)}) {then}")
            self.around(start, end, "((", f") && ::conclave_mutation::holds({n}))")
            start = end + 1

    def branch(self, i):
        close = self.t[i + 1].close
        end = self.statement_end(close + 1)
        found = self.refusal_in(close + 1, end)
        if found:
            self.taken.add(found[0])
            self.condition(i + 2, close, self.plain(*found))
        elif (self.name, self.plain(i + 2, close)) in FURTHER:
            self.condition(i + 2, close, self.plain(close + 1, end))
        if end < len(self.t) and self.t[end].text == "else" and self.t[end + 1].text != "if":
            other = self.refusal_in(end + 1, self.statement_end(end + 1))
            if other and not found and not self.top(i + 2, close, ";") and not self.top(i + 2, close, "="):
                self.taken.add(other[0])
                n = self.guard("else", i + 2, f"if (!({self.plain(i + 2, close)})) {self.plain(*other)}")
                self.around(i + 2, close, "((", f") || !::conclave_mutation::holds({n}))")

    def check(self, i):
        close = self.t[i + 1].close
        n = self.guard("check", i, self.plain(i, close + 1))
        self.inserted.append((self.t[i].end, 0, "_MUTANT"))
        self.inserted.append((self.t[i + 1].end, 0, f"{n}, "))

    def choice(self, i):
        """`C ? A : B` as a whole return or initialiser, where A or B refuses."""
        a = i
        while a > 0 and self.t[a - 1].text not in ("return", "=", ";", "{", "}", "("):
            a -= 1
            if self.t[a].text in PAIRS.values():
                a = next(k for k in range(a, -1, -1) if self.t[k].close == a)
        if self.t[a - 1].text not in ("return", "="):
            return
        b = i
        while self.t[b].text not in (";", ")", "}"):
            b = self.skip(b)
        colon = next((k for k in self.top(i, b, ":")), None)
        if self.t[b].text != ";" or colon is None or len(self.top(a, b, "?")) != 1:
            return
        yes, no = self.refuses(i + 1, colon), self.refuses(colon + 1, b)
        if yes == no:
            return
        if self.t[a - 1].text == "return":
            self.taken.add(a - 1)
        n = self.guard("choice", a, f"{self.plain(a, b)}")
        self.around(a, i, "((", f") {'&& ' if yes else '|| !'}::conclave_mutation::holds({n}))")

    def rest(self):
        """Refusals under no condition of their own."""
        returns_status = self.status_functions()
        for i, t in enumerate(self.t):
            if t.text != "return" or i in self.taken:
                continue
            end = self.statement_end(i)
            if self.t[i + 1].text not in {"errc", "failure"} | self.local_failures or self.top(i, end, "?"):
                continue
            if any(a < i < b for a, b in returns_status):
                n = self.guard("status", i, self.plain(i, end))
                self.around(i + 1, end - 1, f"::conclave_mutation::unless({n}, ", ")")
            else:
                self.uncovered.append((self.source.count("\n", 0, t.start) + 1, self.plain(i, end)))

    def status_functions(self):
        """Where `return` leaves a function that returns a status or result: its body without lambdas that do not."""
        ours, other = [], []
        for i, t in enumerate(self.t):
            if t.text != "{" or i == 0:
                continue
            j = i - 1
            while self.t[j].text in ("const", "noexcept", "override", "final", "mutable"):
                j -= 1
            head = self.source[max(self.t[j].end - 200, 0):self.t[j].end]
            if re.search(r"-> (status|result<[^;(){}]*>)$", head):
                ours.append((i, t.close))
            elif self.t[j].text == ")":
                opening = next(k for k in range(j, -1, -1) if self.t[k].close == j)
                name = self.t[opening - 1]
                before = self.source[max(name.start - 200, 0):name.start]
                if re.search(r"\b(status|result<[^;(){}]*>)\s+$", before):
                    ours.append((i, t.close))
                elif name.text == "]":
                    other.append((i, t.close))
        out = []
        for a, b in ours:
            for c, d in sorted(other):
                if a < c and d < b:
                    out.append((a, c))
                    a = d
            out.append((a, b))
        return out

    def instrumented(self):
        out, at = [], 0
        for position, _, text in sorted(self.inserted, key=lambda x: (x[0], x[1])):
            out.append(self.source[at:position])
            out.append(text)
            at = position
        return "".join(out) + self.source[at:]


RUNTIME = """// Written by tests/mutation/mutate.py: what instrumented headers ask at each guard.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <type_traits>
namespace conclave_mutation {
inline const int active = [] {
  const char* const number = std::getenv("CONCLAVE_MUTANT");
  return number ? std::atoi(number) : -1;
}();
struct fired_guards {
  unsigned char at[%d] = {};
  ~fired_guards() {
    const char* const name = std::getenv("CONCLAVE_MUTATION_LOG");
    std::FILE* const file = name ? std::fopen(name, "wb") : nullptr;
    if (!file) return;
    std::fwrite(at, 1, sizeof at, file);
    std::fclose(file);
  }
};
inline fired_guards fired;
inline bool decides(int number) {
  fired.at[number] = 1;
  return number != active;
}
constexpr bool holds(int number) { return std::is_constant_evaluated() || decides(number); }
template <class R>
concept outcome = requires(const R& r) {
  typename R::value_type;
  r.has_value();
  r.error();
};
template <class F>
struct refusal {
  F value;
  int number;
  template <outcome R>
  constexpr operator R() const {
    using value_type = typename R::value_type;
    if constexpr (std::is_void_v<value_type>)
      return holds(number) ? R{value} : R{};
    else if constexpr (std::is_default_constructible_v<value_type>)
      return holds(number) ? R{value} : R{value_type{}};
    else
      return R{value};
  }
};
template <class F>
constexpr refusal<F> unless(int number, F value) { return {value, number}; }
}
#define CONCLAVE_CHECK_MUTANT(number, ...)                                                                       \\
  do {                                                                                                           \\
    if (auto conclave_check_ = (__VA_ARGS__); !conclave_check_ && ::conclave_mutation::holds(number)) [[unlikely]] \\
      return conclave_check_.error();                                                                            \\
  } while (false)
"""


def read(include):
    """Every file of the folders, taken apart."""
    files = []
    for folder in FOLDERS:
        for path in sorted((include / "conclave" / folder).rglob("*.hpp")):
            files.append(File(path, str(path.relative_to(include / "conclave")), SHARE * len(files)))
            assert len(files[-1].guards) <= SHARE
    return files


def write(include, files, to):
    """The headers into `to`, the guarded ones instrumented; a file that stays the same is not touched."""
    changed = {f.name: f.instrumented() for f in files}
    wanted = {"mutation.hpp": RUNTIME % (SHARE * len(files))}
    for path in sorted(p for p in (include / "conclave").rglob("*") if p.is_file()):
        name = str(path.relative_to(include / "conclave"))
        text = changed.get(name) or path.read_text()
        if name == "config.hpp":
            text = text.replace("#pragma once\n", "#pragma once\n#include <conclave/mutation.hpp>\n", 1)
        wanted[name] = text
    for name, text in wanted.items():
        path = to / "conclave" / name
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    for path in (to / "conclave").rglob("*"):
        if path.is_file() and str(path.relative_to(to / "conclave")) not in wanted:
            path.unlink()
