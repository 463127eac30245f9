"""Installs agents from npm, each in a folder of its own, unless that is done already.

install.py CACHE [AGENT...]

The scripts of packages are not run: they download programs from elsewhere or change the
user's commands.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from agents import AGENTS, ARCHITECTURE

# What the agents need at least.
NODE = (22, 19)

# A Node that is a package itself, for machines with an older one.
NODE_PACKAGE = (f"node-linux-{ARCHITECTURE}", "24.21.0")


def install(folder, package, version):
    installed = folder / "node_modules" / package / "package.json"
    if installed.exists() and json.loads(installed.read_text())["version"] == version:
        return
    print(f"--- Installing {package} {version}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"private": true}')
    npm = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    npm += ["--save-exact", f"{package}@{version}"]
    subprocess.run(npm, cwd=folder, check=True, stdout=sys.stderr)


def is_old(node):
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True)
    return tuple(map(int, version.stdout.strip().removeprefix("v").split(".")[:2])) < NODE


def main(cache, *names):
    cache = Path(cache)
    if is_old("node"):
        install(cache / "node", *NODE_PACKAGE)
    for agent in AGENTS:
        if not names or agent.name in names:
            install(cache / agent.name, agent.package, agent.version)


main(*sys.argv[1:])
