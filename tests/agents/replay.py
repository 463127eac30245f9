"""Sends the requests of agents again, without their thoughts, as agents send them that
drop thoughts: the gateway has to restore all that Moonshot requires.

replay.py CACHE PROGRAMS RESULTS REPLAYED
"""

import json
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from measure import Bench
from recorder import Recorder


def without_thoughts(request):
    request = json.loads(request)
    for message in request["messages"]:
        message.pop("reasoning_content", None)
    return json.dumps(request).encode()


def send(port, body):
    headers = {"content-type": "application/json", "authorization": "Bearer sk-anything"}
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        response.read()


def replay(bench, line):
    with ExitStack() as stack:
        emulator = stack.enter_context(bench.emulator(bench.cache))
        moonshot = stack.enter_context(Recorder(emulator))
        gateway = stack.enter_context(bench.gateway(bench.cache, moonshot.port))
        moonshot.exchanges.clear()
        asked = stack.enter_context(Recorder(gateway))
        for exchange in line["asked"]:
            send(asked.port, without_thoughts(exchange["request"]))
    return {
        "agent": line["agent"],
        "model": line["model"],
        "asked": [exchange.to_json() for exchange in asked.exchanges],
        "received": [exchange.to_json() for exchange in moonshot.exchanges],
    }


def main(cache, programs, results, replayed):
    bench = Bench(Path(cache), Path(programs))
    lines = map(json.loads, Path(results).read_text().splitlines())
    with open(replayed, "w") as out:
        for line in lines:
            if line["way"] == "gateway":
                print(json.dumps(replay(bench, line)), file=out, flush=True)


main(*sys.argv[1:])
