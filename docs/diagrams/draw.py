#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""draw.py: draws each docs/diagrams/<name>.txt as docs/<name>.svg. draw.py --check: says which pictures are not as their
texts. The first word of a text is its kind: stack or sequence. A picture brings its own ground, so that it is legible
wherever it stands, and follows the reader's choice of light or dark."""
import html
import math
import pathlib
import sys

STYLE = """
    .ground { fill: #fbfbfa; stroke: #dcdcd6 }
    text { font: 13px system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif; fill: #24292f }
    .name { font-weight: 600; font-size: 14px }
    .small { font-size: 12px; fill: #57606a }
    .box { fill: #e8eef7; stroke: #a9bcd8 }
    .own { fill: #dfeee3; stroke: #9cc3a6 }
    .outside { fill: none; stroke: #a8a8a0; stroke-dasharray: 4 3 }
    .line { stroke: #8c959f; stroke-width: 1.4; fill: none }
    .message { stroke: #24292f; stroke-width: 1.6; fill: none }
    .tip { fill: #24292f }
    .old { fill: #d9822b } .new { fill: #2f7fb8 } .fading { fill: #d9822b; opacity: .3 }
    .frame-old { stroke: #b8650f; stroke-width: 1.6; stroke-dasharray: 6 4; fill: none } .tip-old { fill: #b8650f }
    .frame-new { stroke: #2f7fb8; stroke-width: 1.6; stroke-dasharray: 6 4; fill: none } .tip-new { fill: #2f7fb8 }
    .label { paint-order: stroke; stroke: #fbfbfa; stroke-width: 5px; stroke-linejoin: round }
    .note { fill: #fffdf2; stroke: #d8cf9f }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #16191d; stroke: #33383e }
      text, .tip { fill: #e3e6ea }
      .small { fill: #a3abb4 }
      .box { fill: #22303f; stroke: #44607c }
      .own { fill: #20352a; stroke: #41694f }
      .outside { stroke: #6b7178 }
      .fading { opacity: .5 }
      .line { stroke: #7a828b }
      .message { stroke: #e3e6ea }
      .frame-old { stroke: #e79a4b } .tip-old { fill: #e79a4b }
      .frame-new { stroke: #62b0e4 } .tip-new { fill: #62b0e4 }
      .label { stroke: #16191d }
      .note { fill: #2a2818; stroke: #5d5838 }
    }
"""


def number(value):
    return f"{value:.1f}".removesuffix(".0")


class picture:
    def __init__(self, title):
        self.title, self.parts = title, []

    def add(self, tag, text=None, **attributes):
        given = "".join(f' {key.rstrip("_").replace("_", "-")}="{number(value) if isinstance(value, float) else value}"'
                        for key, value in attributes.items())
        self.parts.append(f"  <{tag}{given}/>" if text is None else f"  <{tag}{given}>{html.escape(text, False)}</{tag}>")

    def text(self, x, y, text, class_="", anchor="middle"):
        self.add("text", text, class_=class_ or "plain", x=float(x), y=float(y), text_anchor=anchor)

    def box(self, x, y, width, height, class_):
        self.add("rect", class_=class_, x=float(x), y=float(y), width=float(width), height=float(height), rx=6)

    def svg(self, width, height):
        return ('<!-- SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception -->\n'
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
                f' role="img" aria-label="{self.title}">\n  <title>{self.title}</title>\n  <style>{STYLE}  </style>\n'
                f'  <rect class="ground" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="10"/>\n'
                + "\n".join(self.parts) + "\n</svg>\n")


def stack(lines):
    """Rows of boxes, each with its number on the left and what is outside on the right."""
    rows = []
    for line in lines:
        head, _, rest = line.partition(": ")
        items = [item.strip() for item in rest.split("; ")]
        if head == "outside":
            rows[-1][2].extend(items)
        else:
            rows.append((head.split()[1], [item.split(", ", 1) for item in items], []))
    out = picture("The layers of conclave")
    left, inner, right, high, gap = 52, 640, 150, 50, 12
    width = left + inner + 34 + right + 20
    y = 20
    for row, boxes, outside in rows:
        out.text(30, y + high / 2 + 5, row, "name")
        each = (inner - gap * (len(boxes) - 1)) / len(boxes)
        for i, (name, what) in enumerate(boxes):
            x = left + i * (each + gap)
            out.box(x, y, each, high, "own" if row in "67" else "box")
            out.text(x + each / 2, y + 21, name, "name")
            out.text(x + each / 2, y + 39, what, "small")
        if outside:
            x = left + inner + 34
            out.add("path", class_="line", d=f"M{left + inner + 6} {number(y + high / 2)}h22")
            out.box(x, y + 4, right, high - 8, "outside")
            for i, line in enumerate(outside):
                out.text(x + right / 2, y + high / 2 + 5 + (i - (len(outside) - 1) / 2) * 16, line, "small")
        y += high + gap
    return out.svg(width, y + 8)


def sequence(lines):
    """Lanes side by side, time downwards: bars for keys, arrows for messages and frames, remarks."""
    lanes, kinds = {}, {"keys": [], "late": [], "say": [], "message": [], "frame": []}
    for line in lines:
        head, _, text = line.partition(": ")
        kind, *rest = head.split()
        if kind == "lane":
            lanes[rest[0]] = (230 + 220 * len(lanes), *text.split(", ", 1))
        else:
            kinds[kind].append((*rest, text))
    out = picture("A change of keys")
    row, top, wide = 40, 74, 186

    def at(time):
        return top + float(time) * row

    newest = max(int(entry[1]) for entry in kinds["keys"])
    end = max(float(entry[3]) for entry in kinds["keys"])
    for x, name, who in lanes.values():
        out.text(x, 34, name, "name")
        out.text(x, 52, who, "small")
        out.add("path", class_="line", d=f"M{x} 62V{number(at(end))}")
    for lane, epoch, begin, until, _ in kinds["late"]:
        x = lanes[lane][0]
        out.box(x + 5, at(begin), 6, at(until) - at(begin), "fading")
    for lane, epoch, begin, until, _ in kinds["keys"]:
        x = lanes[lane][0]
        out.box(x - 5, at(begin), 10, at(until) - at(begin), "new" if int(epoch) == newest else "old")

    def arrow(from_, begin, to, until, text, kind, tip):
        right = lanes[to][0] > lanes[from_][0]
        side = 7 if right else -7
        x1, y1, x2, y2 = lanes[from_][0] + side, at(begin), lanes[to][0] - side, at(until)
        out.add("path", class_=kind, d=f"M{x1} {number(y1)}L{x2} {number(y2)}")
        # the tip, turned as the line is
        dx, dy = x2 - x1, y2 - y1
        length = (dx * dx + dy * dy) ** 0.5
        ux, uy = dx / length, dy / length
        points = [(x2, y2), (x2 - 9 * ux - 4.5 * uy, y2 - 9 * uy + 4.5 * ux), (x2 - 9 * ux + 4.5 * uy, y2 - 9 * uy - 4.5 * ux)]
        out.add("path", class_=tip, d="M" + "L".join(f"{number(px)} {number(py)}" for px, py in points) + "z")
        # the text stands along the line: of a message where it sets out, of a frame where it arrives
        part = 110 / abs(lanes[to][0] - lanes[from_][0])
        part = part if kind == "message" else 1 - part
        turn = math.degrees(math.atan2(dy if right else -dy, abs(dx)))
        return x1 + dx * part, y1 + dy * part, turn, text

    labels = [arrow(*entry, "message", "tip") for entry in kinds["message"]]
    for epoch, *entry in kinds["frame"]:
        age = "new" if int(epoch) == newest else "old"
        labels.append(arrow(*entry, f"frame-{age}", f"tip-{age}"))
    for lane, time, text in kinds["say"]:
        remark = text.split("|")
        height = 10 + 16 * len(remark)
        # beside the lane: on the left of the first one, on the right of the others
        x = lanes[lane][0] + (16 if lane != next(iter(lanes)) else -16 - wide)
        out.box(x, at(time) - height / 2, wide, height, "note")
        for i, part in enumerate(remark):
            out.text(x + wide / 2, at(time) - height / 2 + 17 + 16 * i, part, "small")
    for x, y, turn, text in labels:
        out.add("text", text, class_="small label", text_anchor="middle",
                transform=f"translate({number(x)} {number(y)}) rotate({number(turn)}) translate(0 -6)")

    foot = at(end) + 30
    x = 110
    for class_, text in (("old", "seals under epoch 7"), ("fading", "still opens epoch 7"), ("new", "seals under epoch 8")):
        out.box(x, foot - 11, 12, 12, class_)
        out.text(x + 20, foot, text, "small", "start")
        x += 170
    for kind, text in (("message", "messages"), ("frame-new", "frames, by way of any relay")):
        out.add("path", class_=kind, d=f"M{x} {number(foot - 5)}h26")
        out.text(x + 34, foot, text, "small", "start")
        x += 120
    return out.svg(230 + 220 * (len(lanes) - 1) + 230, round(foot + 22))


def draw(path):
    lines = [line.strip() for line in path.read_text().splitlines()]
    kind, *rest = [line for line in lines if line and not line.startswith("#")]
    return {"stack": stack, "sequence": sequence}[kind](rest)


folder = pathlib.Path(__file__).resolve().parent
stale = []
for source in sorted(folder.glob("*.txt")):
    to = folder.parent / f"{source.stem}.svg"
    drawn = draw(source)
    if sys.argv[1:] != ["--check"]:
        to.write_text(drawn)
    elif not to.exists() or to.read_text() != drawn:
        stale.append(f"docs/{to.name} is not as docs/diagrams/{source.name} says: run ./dev docs")
print("\n".join(stale) or "drawn")
sys.exit(bool(stale))
