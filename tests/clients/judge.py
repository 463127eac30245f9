"""Judges what the clients have written down.

judge.py --all-through RESULTS    every scenario has to have gone through
judge.py --table RESULTS          prints what was refused, as Markdown
judge.py --compare README RESULTS that table has to stand in the README
judge.py --write README RESULTS   puts it there
"""

import json
import re
import sys
from pathlib import Path

FAMILIES = {
    "kimi-k3": "K3",
    "kimi-k2.7": "K2.7",
    "kimi-k2.6": "K2.6",
    "kimi-k2.5": "K2.5",
    "kimi-for-coding": "Kimi Code",
    "kimi-next": "unknown",
}

# Without the layer: Moonshot ignores what it was asked for.
UNEXPECTED = "200, but the answer lacks what was asked for"

START = "<!-- The table is written by tests/clients/run --write. -->\n\n"
END = "\n<!-- The table ends. -->\n"


def read(path):
    lines = [json.loads(line) for line in Path(path).read_text().splitlines()]
    if not lines:
        sys.exit(f"{path} is empty")
    return lines


def place(line):
    return f"{line['client']}, {line['scenario']}, {line['model']}"


def all_through(lines):
    for line in lines:
        if line["fault"]:
            sys.exit(f"{place(line)} went wrong:\n{line['fault']}")
    refused = [line for line in lines if line["refusal"] is not None]
    for line in refused:
        print(f"{place(line)}: {line['refusal']}", file=sys.stderr)
    if refused:
        sys.exit(f"{len(refused)} of {len(lines)} were refused")
    print(f"{len(lines)} of {len(lines)} went through")


def table(lines):
    rows = {}
    refusals = []
    for line in lines:
        mark = "✓"
        # Through the layer every scenario works, so this is not the scenario's fault.
        if line["fault"]:
            line["refusal"] = UNEXPECTED
        if line["refusal"] is not None:
            refusal = line["refusal"].replace(line["model"], "…")
            # The server with the picture has another port every time.
            refusal = re.sub(r"//127\.0\.0\.1:\d+/", "//…/", refusal)
            if refusal not in refusals:
                refusals.append(refusal)
            mark = str(refusals.index(refusal) + 1)
        rows.setdefault((line["client"], line["scenario"]), {})[line["model"]] = mark

    # Families that fare alike throughout share a column.
    columns = {}
    for model, family in FAMILIES.items():
        column = tuple(row[model] for row in rows.values())
        columns.setdefault(column, []).append(family)

    out = [["client", "scenario", *(", ".join(names) for names in columns.values())]]
    out.append(["---"] * len(out[0]))
    last = None
    for (client, scenario), *marks in zip(rows, *columns):
        out.append(["″" if client == last else client, scenario, *marks])
        last = client
    text = "".join(f"| {' | '.join(row)} |\n" for row in out)
    numbered = (f"{number}. `{refusal}`\n" for number, refusal in enumerate(refusals, 1))
    return text + "\n" + "".join(numbered)


def split(readme):
    before, start, rest = readme.partition(START)
    old, end, after = rest.partition(END)
    if not start or not end:
        sys.exit("the README has no place for the table")
    return before + start, old, end + after


def main(command, *paths):
    lines = read(paths[-1])
    if command == "--all-through":
        all_through(lines)
    elif command == "--table":
        print(table(lines), end="")
    elif command in ("--compare", "--write"):
        readme = Path(paths[0])
        before, old, after = split(readme.read_text())
        if command == "--write":
            readme.write_text(before + table(lines) + after)
        elif old != table(lines):
            print(table(lines))
            sys.exit("the README has another table; tests/clients/run --write puts this one there")
    else:
        sys.exit(__doc__)


main(*sys.argv[1:])
