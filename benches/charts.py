#!/usr/bin/env python3
"""Draws charts/*.svg and fills the tables of RESULTS.md and the README, from data/.

Needs no packages. `record.sh` writes the data and calls this.
"""

import csv
import math
import re
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
DATA = HERE / "data"
OURS, VALUE = "tower-moonshot", "serde_json Value"
ORDERED = "serde_json ordered"
REWRITERS = [
    OURS,
    "jiter",
    "sonic-rs lazy",
    "serde_json RawValue",
    "sonic-rs Value",
    "simd-json",
    ORDERED,
]
LIMITS = ["memcpy", "simdutf8", "memchr2"]

# The colours of text and of grounds are those of GitHub's two themes. The ground
# itself is left to the page.
STYLE = """
  text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #59636e }
  .title { font-size: 16px; font-weight: 600; fill: #1f2328 }
  .head { font-size: 12px; font-weight: 600; fill: #1f2328 }
  .value { font-size: 11px; font-variant-numeric: tabular-nums }
  .tick { font-size: 11px; font-variant-numeric: tabular-nums }
  .ours { fill: #0969da; font-weight: 600 }
  rect.bar { fill: #c4ccd4 }
  rect.bar.ours { fill: #0969da }
  rect.bar.lax { fill: none; stroke: #818b98 }
  .axis { stroke: #818b98; stroke-width: 1 }
  .grid { stroke: #d1d9e0; stroke-width: 1 }
  .line { fill: none; stroke: #818b98; stroke-width: 2; stroke-linejoin: round }
  .line.ours { stroke: #0969da; fill: none }
  circle { fill: #818b98 }
  circle.ours { fill: #0969da }
  .end { text-anchor: end }
  .middle { text-anchor: middle }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 }
    .title, .head { fill: #f0f6fc }
    .ours { fill: #4493f8 }
    rect.bar { fill: #4a525c }
    rect.bar.ours, circle.ours { fill: #4493f8 }
    rect.bar.lax { fill: none; stroke: #656c76 }
    .line.ours { stroke: #4493f8; fill: none }
    .axis, .line { stroke: #656c76 }
    circle { fill: #656c76 }
    .grid { stroke: #2f353d }
  }
"""


class Chart:
    """An SVG, from the top left."""

    def __init__(self, width, height, title, subtitle, what):
        self.width, self.height, self.what = width, height, what
        self.marks = []
        self.text(0, 18, title, "title")
        self.text(0, 38, subtitle)

    def text(self, x, y, text, kind=""):
        self.marks.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(text)}</text>')

    def bar(self, x, y, width, height, kind):
        self.marks.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height}"'
            f' rx="1.5" class="bar {kind}"/>'
        )

    def line(self, x1, y1, x2, y2, kind):
        self.marks.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'
        )

    def curve(self, points, kind):
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.marks.append(f'<polyline points="{joined}" class="line {kind}"/>')
        for x, y in points:
            self.marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="{kind}"/>')

    def write(self, name):
        (HERE / "charts" / name).write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"'
            f' width="{self.width}" height="{self.height}" role="img">\n'
            f"<title>{escape(self.what)}</title>\n<style>{STYLE}</style>\n"
            + "\n".join(self.marks)
            + "\n</svg>\n"
        )


def read(name):
    with open(DATA / name, newline="") as file:
        return list(csv.DictReader(file))


def read_ratios():
    """Times faster than Value: {state: {body: {candidate: ratio}}}."""
    ratios, bodies = {}, {}
    for row in read("ratios.csv"):
        bodies[row["body"]] = row["what"]
        of_body = ratios.setdefault(row["state"], {}).setdefault(row["body"], {})
        of_body[row["candidate"]] = float(row["times_value"])
    # Measured in another program, beside ours alone.
    for row in read("ordered.csv"):
        if row["candidate"] == OURS:
            of_body = ratios[row["state"]][row["body"]]
            of_body[ORDERED] = of_body[OURS] / float(row["times_value"])
    return bodies, ratios


def read_lax():
    """Who overlooks faults in the body."""
    return {row["candidate"] for row in read("faults.csv") if row["overlooked"] != "none"}


def times(ratio):
    return f"{ratio:.0f}" if ratio >= 20 else f"{ratio:.1f}"


def draw_speed(bodies, ratios, state, subtitle, name):
    """A panel for each body, a bar for each candidate, from 1 on."""
    gutter, panel, gap, columns = 150, 152, 20, 4
    row, thick, top, head = 19, 11, 62, 24
    rows = math.ceil(len(bodies) / columns)
    lax = read_lax()
    block = head + row * len(REWRITERS) + 26
    chart = Chart(
        gutter + columns * (panel + gap) - gap,
        top + rows * block - 14,
        "How many times faster than serde_json’s Value",
        subtitle,
        f"Times faster than serde_json's Value by body and library, {state}",
    )
    every = [ratios[state][body][name] for body in bodies for name in REWRITERS]
    low, high = math.log10(min(every + [0.8])), math.log10(max(every))
    # Room for the figure behind the longest bar.
    scale = (panel - 30) / (high - low)
    for index, (body, what) in enumerate(bodies.items()):
        left = gutter + index % columns * (panel + gap)
        above = top + index // columns * block
        one = left - low * scale
        chart.text(left, above + 8, what, "head")
        for place, candidate in enumerate(REWRITERS):
            y = above + head + place * row
            kind = "ours" if candidate == OURS else "lax" if candidate in lax else ""
            if index % columns == 0:
                chart.text(gutter - 12, y + thick - 1, candidate, f"end {kind}")
            ratio = ratios[state][body][candidate]
            end = one + math.log10(ratio) * scale
            # An outline stands half a pixel to each side of its edge.
            inset = 0.5 if kind == "lax" else 0
            chart.bar(
                min(one, end) + inset, y + inset, abs(end - one) - 2 * inset, thick - 2 * inset, kind
            )
            chart.text(max(one, end) + 5, y + thick - 1, times(ratio), f"value {kind}")
        bottom = above + head + len(REWRITERS) * row - (row - thick) / 2 + 1
        chart.line(one, above + head - 5, one, bottom, "axis")
    chart.write(name)


def short(count):
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if count >= size:
            return f"{count // size}{unit}"
    return str(count)


def draw_sizes():
    """A panel for each kind of growth, a line for each candidate."""
    growths = {}
    for row in read("sizes.csv"):
        curves = growths.setdefault(row["growth"], {})
        point = (int(row["count"]), float(row["ns_per_byte"]))
        curves.setdefault(row["candidate"], []).append(point)
    left, panel, gap, top, height = 40, 132, 26, 92, 190
    chart = Chart(
        left + len(growths) * (panel + gap) - gap + 14,
        top + height + 44,
        "Cost by size: nanoseconds a byte",
        "Level lines are linear cost: twice as much takes twice as long. Both scales are logarithmic.",
        "Nanoseconds a byte by number of messages, parts, tools, edits and bytes",
    )
    every = [cost for curves in growths.values() for curve in curves.values() for _, cost in curve]
    low = math.floor(math.log10(min(every)) * 2) / 2
    high = math.log10(max(every)) + 0.1
    powers = range(math.ceil(low), math.floor(high) + 1)
    y_of = lambda cost: top + height - (math.log10(cost) - low) / (high - low) * height
    for index, (growth, curves) in enumerate(growths.items()):
        x0 = left + index * (panel + gap)
        counts = [count for count, _ in curves[OURS]]
        first, last = math.log10(counts[0]), math.log10(counts[-1])
        x_of = lambda count: x0 + 6 + (math.log10(count) - first) / (last - first) * (panel - 12)
        chart.text(x0, top - 14, growth, "head")
        for power in powers:
            y = y_of(10**power)
            chart.line(x0, y, x0 + panel, y, "grid")
            if index == 0:
                chart.text(x0 - 8, y + 4, f"{10**power:g}", "tick end")
        chart.line(x0, top + height, x0 + panel, top + height, "axis")
        # Every second one where all would touch.
        for count in counts[::-1][:: 2 if len(counts) > 4 else 1]:
            chart.text(x_of(count), top + height + 17, short(count), "tick middle")
        for candidate in (VALUE, OURS):
            kind = "ours" if candidate == OURS else ""
            points = [(x_of(count), y_of(cost)) for count, cost in curves[candidate]]
            chart.curve(points, kind)
            if index == 0:
                # Below the line, where no grid line goes through it.
                label = max(y for _, y in points) + 18
                while any(label - 12 < y_of(10**power) < label + 5 for power in powers):
                    label += 1
                chart.text(x0 + 4, label, candidate, kind)
    chart.write("sizes.svg")


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def ratio_table(bodies, ratios, state):
    candidates = REWRITERS + LIMITS
    nanoseconds = {
        row["body"]: float(row["bytes"]) / float(row["ns"])
        for row in read("ratios.csv")
        if row["candidate"] == OURS and row["state"] == state
    }
    rows = [
        [f"{body} {what}"]
        + [times(ratios[state][body][candidate]) for candidate in candidates]
        + [f"{nanoseconds[body]:.1f}"]
        for body, what in bodies.items()
    ]
    rows = [[row[0], f"**{row[1]}**", *row[2:]] for row in rows]
    return table(["body", *candidates, "GB/s of ours"], rows)


def size_table():
    costs = {}
    for row in read("sizes.csv"):
        key = (f"{int(row['count']):,} {row['growth']}".replace(",", " "), f"{int(row['bytes']):,}".replace(",", " "))
        costs.setdefault(key, {})[row["candidate"]] = float(row["ns_per_byte"])
    rows = [[*key, f"{cost[OURS]:.3f}", f"{cost[VALUE]:.2f}"] for key, cost in costs.items()]
    return table(["", "bytes", f"{OURS}, ns a byte", f"{VALUE}, ns a byte"], rows)


def summary(bodies, ratios):
    """For the README: ours alone, and where it was measured."""
    states = ("unchanged", "edited")
    rows = [
        [what, *(times(ratios[state][body][OURS]) for state in states)]
        for body, what in bodies.items()
    ]
    run = dict(line.split(": ", 1) for line in (DATA / "run.txt").read_text().splitlines())
    compiler = " ".join(run["compiler"].split()[:2])
    measured = f"Measured on {run['date']}: {run['machine']}, {compiler}."
    return table(["body", "nothing to change", "edited"], rows) + "\n\n" + measured


def run_list():
    lines = (DATA / "run.txt").read_text().splitlines()
    return "\n".join("- " + line for line in lines)


def fault_list():
    return table(["", "overlooks"], [list(row.values()) for row in read("faults.csv")])


def fill(file, sections):
    text = file.read_text()
    for name, content in sections.items():
        marks = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        text, found = re.subn(marks, lambda m: m[1] + content + "\n" + m[2], text, flags=re.S)
        assert found == 1, f"{file}: no section {name}"
    file.write_text(text)


def main():
    bodies, ratios = read_ratios()
    for state, does in (
        ("unchanged", "Nothing to change."),
        ("edited", "A temperature, a role and content arrays to change."),
    ):
        subtitle = f"{does} Logarithmic; the line is Value. Hollow: overlooks faults."
        draw_speed(bodies, ratios, state, subtitle, f"speed-{state}.svg")
    draw_sizes()
    fill(HERE.parent / "README.md", {"speed": summary(bodies, ratios)})
    fill(
        HERE / "RESULTS.md",
        {
            "run": run_list(),
            "unchanged": ratio_table(bodies, ratios, "unchanged"),
            "edited": ratio_table(bodies, ratios, "edited"),
            "faults": fault_list(),
            "sizes": size_table(),
            **{name: (DATA / f"{name}.md").read_text().strip() for name in ("layer", "reasoning", "response", "gateway", "litellm")},
        },
    )


if __name__ == "__main__":
    main()
