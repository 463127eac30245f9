"""Runs agents, and writes down what they sent and what became of it.

measure.py CACHE PROGRAMS RESULTS [AGENT...]

`run` beside this file starts it in a network of its own, in which nothing but the
loopback interface exists. Of everything else an agent gets only PATH: its home is an
empty folder. RESULTS gets one line of JSON for each agent, model and way:

    {"agent": …, "model": …, "way": …, "runs": […], "asked": […], "verdicts": […], "received": […]}

"asked" are the requests of the agent, "verdicts" what Moonshot says to each of them as
it is, and "received" what reaches Moonshot.
"""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agents import AGENTS
from recorder import Recorder

MODELS = ["kimi-k3", "kimi-k2.7", "kimi-k2.6"]

# An agent that has not ended by then is ended, in seconds.
TIMEOUT = 240

# Agents mostly wait.
AT_ONCE = 6

NOTES = "notes.txt: the harbour opens at nine\n"

# In a network of its own, all ports are free.
PORTS = itertools.count(20_000)


@contextmanager
def process(*arguments, **options):
    """A process, which doesn't outlive this, and neither do its children."""
    null = subprocess.DEVNULL
    started = subprocess.Popen(arguments, start_new_session=True, stdin=null, **options)
    try:
        yield started
    finally:
        try:
            os.killpg(started.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        started.wait()


@contextmanager
def server(port, *arguments, log, **variables):
    """A server that has been told to listen on this port."""
    environment = {"PATH": os.environ["PATH"], "RUST_LOG": "warn", **variables}
    with (
        log.open("w") as out,
        process(*arguments, env=environment, stdout=out, stderr=out) as started,
    ):
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=5).close()
                break
            except OSError:
                if started.poll() is not None:
                    sys.exit(f"this doesn't start: {arguments}\n{log.read_text()}")
                time.sleep(0.1)
        yield port


class Bench:
    def __init__(self, cache, programs):
        self.cache = cache
        self.programs = programs

    def emulator(self, folder):
        port = next(PORTS)
        program = self.programs / "examples/emulator"
        arguments = [program, "--port", str(port), "--unique-thoughts"]
        return server(port, *arguments, log=folder / "emulator.log")

    def gateway(self, folder, upstream):
        port = next(PORTS)
        return server(
            port,
            self.programs / "moonshot-gateway",
            log=folder / "gateway.log",
            HOST="127.0.0.1",
            PORT=str(port),
            MOONSHOT_API_BASE=f"http://127.0.0.1:{upstream}/v1",
            MOONSHOT_API_KEY="sk-emulated",
        )

    def measure(self, agent, model, way):
        """Runs an agent with everything new: its home, its files and the servers."""
        folder = self.cache / "runs" / f"{agent.name}-{model}-{way}"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "home").mkdir(parents=True)
        work = folder / "work"
        # Agents look for the root of a project.
        git = ["git", "init", "--quiet", work]
        subprocess.run(git, check=True, env={"PATH": os.environ["PATH"], "HOME": str(folder)})
        (work / "notes.txt").write_text(NOTES)
        with ExitStack() as stack:
            emulator = stack.enter_context(self.emulator(folder))
            moonshot = asked = stack.enter_context(Recorder(emulator))
            if way == "gateway":
                gateway = stack.enter_context(self.gateway(folder, moonshot.port))
                moonshot.exchanges.clear()
                asked = stack.enter_context(Recorder(gateway))
            base_url = f"http://127.0.0.1:{asked.port}/v1"
            runs = self.run(agent, model, base_url, folder)
            asked = [exchange for exchange in asked.exchanges if exchange.is_chat]
            verdicts = [verdict(emulator, exchange.request) for exchange in asked]
        received = [exchange for exchange in moonshot.exchanges if exchange.is_chat]
        return {
            "agent": agent.name,
            "model": model,
            "way": way,
            "runs": runs,
            "asked": [exchange.to_json() for exchange in asked],
            "verdicts": verdicts,
            "received": [exchange.to_json() for exchange in received],
        }

    def run(self, agent, model, base_url, folder):
        """A prompt, and another one in the same session if the first succeeds."""
        home, work = folder / "home", folder / "work"
        arguments, variables = agent.configure(home, base_url, model)
        program = self.cache / agent.name / "node_modules" / agent.program
        node = [shutil.which("node")] if program.suffix in (".js", ".mjs") else []
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(folder),
            "TERM": "dumb",
            "NO_COLOR": "1",
            **variables,
        }
        runs = []
        for number, prompt in enumerate(prompts(agent, work)):
            resume = [agent.resume] if number else []
            before = [*agent.command, *resume, *arguments]
            command = [*node, program, *agent.spell(before, prompt)]
            output = folder / f"output-{number}.txt"
            with (
                output.open("w") as out,
                process(*command, cwd=work, env=environment, stdout=out, stderr=out) as running,
            ):
                started = time.monotonic()
                try:
                    code = running.wait(TIMEOUT)
                except subprocess.TimeoutExpired:
                    code = "timeout"
            seconds = round(time.monotonic() - started, 1)
            output = output.read_text(errors="replace")
            runs.append({"code": code, "seconds": seconds, "output": output})
            if code != 0 or agent.resume is None:
                break
        return runs


def prompts(agent, work):
    """The emulator calls the tools that a prompt names, with the arguments behind them."""
    calls = [f"{name} {json.dumps(arguments)}" for name, arguments in agent.calls.items()]
    for some in (calls, calls[:1]):
        text = "Call " + ", then ".join(some) + "."
        yield text.replace("NOTES", str(work / "notes.txt")).replace("FOLDER", str(work))


def verdict(emulator, body):
    """The error with which Moonshot refuses a request, if it does."""
    headers = {"content-type": "application/json", "authorization": "Bearer sk-anything"}
    url = f"http://127.0.0.1:{emulator}/v1/chat/completions"
    try:
        urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30).close()
    except urllib.error.HTTPError as error:
        return json.loads(error.read())["error"]["message"]
    return None


def main(cache, programs, results, *names):
    bench = Bench(Path(cache), Path(programs))
    agents = [agent for agent in AGENTS if not names or agent.name in names]
    runs = itertools.product(agents, MODELS, ("gateway", "direct"))
    with open(results, "w") as out, ThreadPoolExecutor(AT_ONCE) as pool:
        for line in pool.map(lambda run: bench.measure(*run), runs):
            print(json.dumps(line), file=out, flush=True)
            runs = ", ".join(f"{run['code']} in {run['seconds']} s" for run in line["runs"])
            print(f"{line['agent']} {line['model']} {line['way']}: {runs}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
