"""Runs a client's loop of tool calls on every model that needs its thoughts, and
writes down which of them came back.

A loop is a function of a model's id, and of whether answers are streamed. It asks for
TASK with three tools, so that the model answers four times, and returns the last
answer. The file that CLIENTS_RESULTS names gets one line of JSON for each model:

    {"client": …, "model": …, "stream": …, "first": …, "returned": […], "fault": …}

"returned" are the thoughts in each request that the emulator accepted, the first of
which has the number "first" there.
"""

import asyncio
import inspect
import json
import os
import traceback
import urllib.request

BASE_URL = os.environ["CLIENTS_BASE_URL"]
MODELS = os.environ["CLIENTS_THINKING_MODELS"].split()
RETURNED_THOUGHTS = os.environ["CLIENTS_RETURNED_THOUGHTS"]
API_KEY = "sk-anything"

TASK = "Call clock, then calendar, then weather."
LAST_ANSWER = "The tool said: rain"


def clock(city: str, zone: str = "utc") -> str:
    """Tells the time.

    Args:
        city: Where.
        zone: In which zone.
    """
    return "noon"


def calendar(year: int) -> str:
    """Tells the date.

    Args:
        year: In which year.
    """
    return "Monday"


def weather(city: str) -> str:
    """Tells the weather.

    Args:
        city: Where.
    """
    return "rain"


TOOLS = [clock, calendar, weather]


def returned():
    with urllib.request.urlopen(RETURNED_THOUGHTS) as response:
        return json.load(response)


def run(client, loop, streams=(False, True)):
    results = open(os.environ["CLIENTS_RESULTS"], "a")
    # One event loop for all: clients keep connections that belong to it.
    with results, asyncio.Runner() as runner:
        for stream in streams:
            for model in MODELS:
                first = len(returned())
                line = {"client": client, "model": model, "stream": stream}
                line |= {"first": first, "fault": attempt(runner, loop, model, stream)}
                line["returned"] = returned()[first:]
                print(json.dumps(line), file=results, flush=True)


def attempt(runner, loop, model, stream):
    try:
        if inspect.iscoroutinefunction(loop):
            said = runner.run(loop(model, stream))
        else:
            said = loop(model, stream)
        assert said == LAST_ANSWER, said
    except Exception as error:
        return "".join(traceback.format_exception(error))
    return None
