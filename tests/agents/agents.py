"""The agents: how each is installed, configured and asked.

Each is configured as its documentation shows for a server that speaks OpenAI's
protocol, and run as its documentation shows for scripts. Nothing is set for Kimi.
"""

import json
import platform
from dataclasses import dataclass
from typing import Callable

API_KEY = "sk-anything"

ARCHITECTURE = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]


@dataclass
class Agent:
    name: str
    # On npm. The scripts of packages are not run.
    package: str
    version: str
    # Below node_modules. What ends in .js or .mjs is run by Node.
    program: str
    # Three tools that every run calls, with their arguments. NOTES and FOLDER are
    # replaced by paths.
    calls: dict
    # Writes the configuration to a home folder, for a base URL and a model. Returns
    # the arguments before the prompt, and variables.
    configure: Callable
    # The argument that continues the last session, if there is one.
    resume: str | None = "--continue"
    # The arguments before all others.
    command: tuple = ()
    # Puts the prompt behind the arguments.
    spell: Callable = lambda arguments, prompt: [*arguments, prompt]


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def opencode(home, base_url, model, folder="opencode"):
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Gateway",
        "options": {"baseURL": base_url, "apiKey": API_KEY},
        "models": {model: {"name": model}},
    }
    write(home / f".config/{folder}/{folder}.json", {"provider": {"gateway": provider}})
    arguments = ["--auto", "--model", f"gateway/{model}"]
    prefix = folder.upper()
    return arguments, {f"{prefix}_DISABLE_AUTOUPDATE": "1", f"{prefix}_DISABLE_MODELS_FETCH": "1"}


def kilo(home, base_url, model):
    return opencode(home, base_url, model, "kilo")


def words(arguments, prompt):
    """A prompt in one argument would be quoted, and its quotes escaped."""
    return [*arguments, *prompt.split()]


def pi(home, base_url, model):
    provider = {
        "baseUrl": base_url,
        "api": "openai-completions",
        "apiKey": API_KEY,
        "models": [{"id": model}],
    }
    write(home / ".pi/agent/models.json", {"providers": {"gateway": provider}})
    return ["--offline", "--provider", "gateway", "--model", model, "--print"], {}


def qwen_code(home, base_url, model):
    settings = {
        "security": {"auth": {"selectedType": "openai"}},
        "privacy": {"usageStatisticsEnabled": False},
        "general": {"disableAutoUpdate": True},
    }
    write(home / ".qwen/settings.json", settings)
    variables = {"OPENAI_API_KEY": API_KEY, "OPENAI_BASE_URL": base_url, "OPENAI_MODEL": model}
    return ["--yolo", "--prompt"], variables


def kimi_code(home, base_url, model):
    return ["--prompt"], {
        "KIMI_MODEL_NAME": model,
        "KIMI_MODEL_BASE_URL": base_url,
        "KIMI_MODEL_API_KEY": API_KEY,
        "KIMI_CODE_NO_AUTO_UPDATE": "1",
    }


def cline(home, base_url, model):
    provider = "openai-compatible"
    settings = {"provider": provider, "apiKey": API_KEY, "model": model, "baseUrl": base_url}
    providers = {
        "version": 1,
        "lastUsedProvider": provider,
        "modes": {},
        "providers": {
            provider: {
                "settings": settings,
                "updatedAt": "2026-11-26T00:00:00.000Z",
                "tokenSource": "manual",
            }
        },
    }
    write(home / ".cline/data/settings/providers.json", providers)
    return ["--provider", provider, "--model", model], {}


AGENTS = [
    Agent(
        "opencode",
        "opencode-ai",
        "1.18.33",
        f"opencode-linux-{ARCHITECTURE}/bin/opencode",
        {
            "bash": {"command": "cat NOTES", "description": "Shows the notes"},
            "read": {"filePath": "NOTES"},
            "write": {"filePath": "FOLDER/more.txt", "content": "more"},
        },
        opencode,
        command=("run",),
        spell=words,
    ),
    Agent(
        "kilo",
        "@kilocode/cli",
        "7.7.7",
        f"@kilocode/cli-linux-{ARCHITECTURE}/bin/kilo",
        {
            "bash": {"command": "cat NOTES", "description": "Shows the notes"},
            "read": {"filePath": "NOTES"},
            "glob": {"pattern": "*.txt"},
        },
        kilo,
        command=("run",),
        spell=words,
    ),
    Agent(
        "pi",
        "@earendil-works/pi-coding-agent",
        "1.3.0",
        "@earendil-works/pi-coding-agent/dist/cli.js",
        {
            "bash": {"command": "cat NOTES"},
            "read": {"path": "NOTES"},
            "edit": {"path": "NOTES", "edits": [{"oldText": "nine", "newText": "ten"}]},
        },
        pi,
    ),
    Agent(
        "kimi-code",
        "@moonshot-ai/kimi-code",
        "2.1.0",
        "@moonshot-ai/kimi-code/dist/main.mjs",
        {
            "Bash": {"command": "cat NOTES"},
            "Read": {"path": "NOTES"},
            "Glob": {"pattern": "*.txt"},
        },
        kimi_code,
    ),
    Agent(
        "qwen-code",
        "@qwen-code/qwen-code",
        "0.24.4",
        "@qwen-code/qwen-code/cli-entry.js",
        {
            "run_shell_command": {"command": "cat NOTES", "is_background": False},
            "read_file": {"file_path": "NOTES"},
            "glob": {"pattern": "*.txt"},
        },
        qwen_code,
    ),
    Agent(
        "cline",
        "cline",
        "3.0.65",
        f"@cline/cli-linux-{ARCHITECTURE}/bin/cline",
        {
            "run_commands": {"commands": ["cat NOTES"]},
            "read_files": {"paths": ["NOTES"]},
            "editor": {"path": "FOLDER/more.txt", "new_text": "more"},
        },
        cline,
        resume=None,
    ),
]
