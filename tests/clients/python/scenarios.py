"""Runs a client's scenarios on every model, and says how each went.

A scenario is a function of a model's id that asks and asserts. The file that
CLIENTS_RESULTS names gets one line of JSON for each scenario and model:

    {"client": …, "scenario": …, "model": …, "refusal": …, "fault": …}

"refusal" is what Moonshot said when it refused a request, "fault" anything else
that went wrong; both are null where the scenario went through.
"""

import asyncio
import inspect
import json
import os
import traceback

BASE_URL = os.environ["CLIENTS_BASE_URL"]
MODELS = os.environ["CLIENTS_MODELS"].split()

# It says nothing to the emulator, but clients want one.
API_KEY = "sk-anything"

# One red pixel, at a URL and as one.
PICTURE_URL = os.environ["CLIENTS_PICTURE_URL"]
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1Pe"
    "AAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)


class Scenarios:
    def __init__(self, client):
        self.client = client
        self.scenarios = []

    def __call__(self, name):
        def add(function):
            self.scenarios.append((name, function))
            return function

        return add

    def run(self):
        results = open(os.environ["CLIENTS_RESULTS"], "a")
        # One loop for all: clients keep connections that belong to it.
        with results, asyncio.Runner() as runner:
            for name, function in self.scenarios:
                for model in MODELS:
                    refusal, fault = attempt(runner, function, model)
                    line = {
                        "client": self.client,
                        "scenario": name,
                        "model": model,
                        "refusal": refusal,
                        "fault": fault,
                    }
                    print(json.dumps(line), file=results, flush=True)


def attempt(runner, function, model):
    try:
        if inspect.iscoroutinefunction(function):
            runner.run(function(model))
        else:
            function(model)
    except Exception as error:
        refusal = refusal_of(error)
        if refusal is not None:
            return refusal, None
        return None, "".join(traceback.format_exception(error))
    return None, None


def refusal_of(error):
    """Moonshot's message. Every client here is built on `openai`, whose error
    has it, whatever is wrapped around that."""
    import openai

    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, openai.APIStatusError) and isinstance(error.body, dict):
            return error.body.get("message")
        error = error.__cause__ or error.__context__
    return None
