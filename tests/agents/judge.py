"""Judges what agents sent, and writes a table.

judge.py --table RESULTS REPLAYED            prints the table, as Markdown
judge.py --compare README RESULTS REPLAYED   that table has to be in the README
judge.py --write README RESULTS REPLAYED     puts it there
"""

import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

from agents import AGENTS

FAMILIES = {"kimi-k3": "K3", "kimi-k2.7": "K2.7", "kimi-k2.6": "K2.6"}

START = "<!-- The table is written by tests/agents/run --write. -->\n\n"
END = "\n<!-- The table ends. -->\n"


def answer(response):
    """The message of an answer, which is streamed or whole."""
    if not response.startswith("data:"):
        return json.loads(response)["choices"][0]["message"]
    message = {"content": "", "reasoning_content": "", "tool_calls": []}
    for data in re.findall(r"^data: (\{.*)$", response, re.MULTILINE):
        for choice in json.loads(data)["choices"]:
            delta = choice["delta"]
            for name in ("content", "reasoning_content"):
                message[name] += delta.get(name) or ""
            for call in delta.get("tool_calls") or ():
                while len(message["tool_calls"]) <= call["index"]:
                    message["tool_calls"].append({"function": {"name": "", "arguments": ""}})
                function = message["tool_calls"][call["index"]]["function"]
                for name in ("name", "arguments"):
                    function[name] += call["function"].get(name) or ""
    return message


def text(content):
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content or ""


def said(message):
    """What a message says, in whatever way it is spelled."""
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    calls = [(call["name"], json.loads(call["arguments"])) for call in calls]
    return json.dumps(calls or text(message["content"]), sort_keys=True)


def thoughts(chats):
    """The thoughts that were given, by what was said with them, oldest first."""
    given = defaultdict(list)
    for chat in chats:
        if chat["status"] == 200:
            message = answer(chat["response"])
            given[said(message)].append(message["reasoning_content"])
    return given


def count(model, chats, given, place):
    """How many thoughts were returned of those that the model uses."""
    returned = due = 0
    for chat in chats:
        request = json.loads(chat["request"])
        messages = request["messages"]
        # K2.6 uses those of the current loop of tool calls, unless it is asked to keep all.
        start = 0
        if model == "kimi-k2.6" and request.get("thinking", {}).get("keep") != "all":
            start = max(i for i, message in enumerate(messages) if message["role"] == "user")
        before = Counter()
        for position, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            key = said(message)
            number = before[key]
            before[key] += 1
            if number >= len(given[key]):
                sys.exit(f"{place} has an answer that nobody gave: {key}")
            if position < start:
                continue
            due += 1
            # The gateway puts a space where it knows no thought.
            thought = (message.get("reasoning_content") or "").strip()
            if thought and thought != given[key][number]:
                sys.exit(f"{place} has the thought of another answer: {thought}")
            returned += bool(thought)
    return returned, due


def check_loop(line, agent, place):
    """The agent called its three tools, and one of them again where it continues."""
    for run in line["runs"]:
        if run["code"] != 0 or "The tool said: " not in run["output"]:
            sys.exit(f"{place} ends with {run['code']}:\n{run['output']}")
    messages = json.loads(line["asked"][-1]["request"])["messages"]
    calls = [call for message in messages for call in message.get("tool_calls") or ()]
    called = [call["function"]["name"] for call in calls]
    calls = list(agent.calls)
    # The last request is made with the results of all of its calls.
    if sorted(called) != sorted(calls + calls[:1] if agent.resume else calls):
        sys.exit(f"{place} calls other tools: {called}")
    results = [text(message["content"]) for message in messages if message["role"] == "tool"]
    if not any("the harbour opens" in result for result in results):
        sys.exit(f"{place} has not read the notes: {results}")
    refused = [chat["response"] for chat in line["asked"] if chat["status"] != 200]
    if refused:
        sys.exit(f"{place} was refused: {refused[0]}")


def directly(line):
    """What becomes of an agent without the gateway."""
    refused = [verdict for verdict in line["verdicts"] if verdict]
    if refused:
        return f"`{refused[0]}`"
    return "✓" if all(run["code"] == 0 for run in line["runs"]) else "✗"


def check_arrival(line, place):
    """The gateway leaves thoughts that an agent returns as they are. Returns how many it
    returns of those that the model uses."""
    given = thoughts(line["asked"])
    returned, due = count(line["model"], line["asked"], given, place)
    received, due_there = count(line["model"], line["received"], given, place)
    if due != due_there or received < returned:
        sys.exit(f"{place}: {received} of {due_there} arrive of {returned} of {due}")
    return returned, due


def restored(line, place):
    """How many thoughts the gateway restores in the same requests without any."""
    given = thoughts(line["asked"])
    sent, due = count(line["model"], line["asked"], given, place)
    received, due_there = count(line["model"], line["received"], given, place)
    if sent or due != due_there:
        sys.exit(f"{place} is replayed with {sent} thoughts, and {due_there} of {due} arrive")
    return f"{received} of {due}"


def table(results, replayed):
    lines = {}
    for line in map(json.loads, Path(results).read_text().splitlines()):
        lines[line["agent"], line["model"], line["way"]] = line
    for line in map(json.loads, Path(replayed).read_text().splitlines()):
        lines[line["agent"], line["model"], "replayed"] = line
    header = ["agent", "version", "without the gateway", "refused", "returned", *FAMILIES.values()]
    out = [header, ["---"] * len(header)]
    for agent in AGENTS:
        if (agent.name, "kimi-k3", "gateway") not in lines:
            continue
        own, needed, refused, asked, cells = 0, 0, 0, 0, []
        for model in FAMILIES:
            line = lines[agent.name, model, "gateway"]
            place = f"{agent.name} with {model}"
            check_loop(line, agent, place)
            returned, due = check_arrival(line, place)
            own, needed = own + returned, needed + due
            refused += sum(verdict is not None for verdict in line["verdicts"])
            asked += len(line["verdicts"])
            cells.append(restored(lines[agent.name, model, "replayed"], f"{place}, replayed,"))
        ways = dict.fromkeys(directly(lines[agent.name, model, "direct"]) for model in FAMILIES)
        row = [agent.name, agent.version, ", ".join(ways), f"{refused} of {asked}"]
        out.append([*row, f"{own} of {needed}", *cells])
    return "".join(f"| {' | '.join(row)} |\n" for row in out)


def main(command, *paths):
    new = table(*paths[-2:])
    if command == "--table":
        print(new, end="")
        return
    if command not in ("--compare", "--write"):
        sys.exit(__doc__)
    readme = Path(paths[0])
    before, start, rest = readme.read_text().partition(START)
    old, end, after = rest.partition(END)
    if not start or not end:
        sys.exit("the README has no place for the table")
    if command == "--write":
        readme.write_text(before + start + new + end + after)
    elif old != new:
        print(new)
        sys.exit("the README has another table; tests/agents/run --write puts this one there")


main(*sys.argv[1:])
