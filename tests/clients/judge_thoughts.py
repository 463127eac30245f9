"""Judges which thoughts came back.

judge_thoughts.py --table WITHOUT WITH           prints the table, as Markdown
judge_thoughts.py --compare README WITHOUT WITH  that table has to stand in the README
judge_thoughts.py --write README WITHOUT WITH    puts it there

WITHOUT are the results through a gateway without a memory, WITH those through one that
has it.
"""

import json
import re
import sys
from pathlib import Path

FAMILIES = {"kimi-k3": "K3", "kimi-k2.7": "K2.7", "kimi-k2.6": "K2.6"}

START = "<!-- The table of thoughts is written by tests/clients/run --write. -->\n\n"
END = "\n<!-- The table of thoughts ends. -->\n"


def read(path):
    """The lines by client, stream and model, and how many thoughts were returned of
    those that were due."""
    counts = {}
    for line in map(json.loads, Path(path).read_text().splitlines()):
        place = (line["client"], line["stream"], line["model"])
        if line["fault"]:
            sys.exit(f"{place} went wrong:\n{line['fault']}")
        counts[place] = count(line, place)
    if not counts:
        sys.exit(f"{path} is empty")
    return counts


def count(line, place):
    requests = line["returned"]
    # Three tools, one a turn. The whole conversation is one loop of tool calls, in
    # which every model needs all of its thoughts.
    if [len(thoughts) for thoughts in requests] != [0, 1, 2, 3]:
        sys.exit(f"{place} is no loop of three tool calls: {requests}")
    returned = due = 0
    for thoughts in requests:
        for position, thought in enumerate(thoughts):
            due += 1
            number = re.search(r"This is thought (\d+)\.0\.", thought or "")
            if not number:
                continue
            # The answer to the first request is the first message of the assistant.
            if int(number[1]) != line["first"] + position:
                sys.exit(f"{place} has the thought of another answer: {requests}")
            returned += 1
    return returned, due


def table(without, through):
    if list(without) != list(through):
        sys.exit("the clients differ with and without a memory")
    out = [["client", "answers", "returned by the client", *FAMILIES.values()]]
    out.append(["---"] * len(out[0]))
    last = None
    for client, stream in dict.fromkeys(place[:2] for place in through):
        places = [(client, stream, model) for model in FAMILIES]
        of_client = [without[place] for place in places]
        own = f"{sum(own for own, _ in of_client)} of {sum(due for _, due in of_client)}"
        restored = [f"{through[place][0]} of {through[place][1]}" for place in places]
        name = "″" if client == last else client
        out.append([name, "streamed" if stream else "whole", own, *restored])
        last = client
    return "".join(f"| {' | '.join(row)} |\n" for row in out)


def main(command, *paths):
    new = table(*map(read, paths[-2:]))
    if command == "--table":
        print(new, end="")
        return
    if command not in ("--compare", "--write"):
        sys.exit(__doc__)
    readme = Path(paths[0])
    before, start, rest = readme.read_text().partition(START)
    old, end, after = rest.partition(END)
    if not start or not end:
        sys.exit("the README has no place for the table of thoughts")
    if command == "--write":
        readme.write_text(before + start + new + end + after)
    elif old != new:
        print(new)
        sys.exit("the README has another table; tests/clients/run --write puts this one there")


main(*sys.argv[1:])
