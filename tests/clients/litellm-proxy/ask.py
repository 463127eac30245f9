"""What LiteLLM's page on Moonshot AI asks its proxy for, and a picture.

    ask.py http://127.0.0.1:4000
"""

import json
import subprocess
import sys

from openai import OpenAI

PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1Pe"
    "AAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)

proxy = sys.argv[1]
client = OpenAI(base_url=proxy, api_key="your-proxy-api-key", max_retries=0)

HELLO = [{"role": "user", "content": "hello from litellm"}]
ANSWER = "You said: hello from litellm"


def curl(body):
    return subprocess.run(
        [
            *("curl", "-sS", "--fail-with-body", "-m", "30"),
            f"{proxy}/v1/chat/completions",
            *("-H", "Content-Type: application/json"),
            *("-H", "Authorization: Bearer your-proxy-api-key"),
            *("-d", json.dumps(body)),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def said(events):
    """The text of a stream's events."""
    *events, done = [line[6:] for line in events.splitlines() if line]
    assert done == "[DONE]", done
    deltas = [c["delta"] for e in events for c in json.loads(e)["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


assert {model.id for model in client.models.list()} == {
    "moonshot-v1-8k",
    "moonshot-v1-32k",
    "moonshot-v1-128k",
}

for model in ("moonshot-v1-8k", "moonshot-v1-32k", "moonshot-v1-128k"):
    response = client.chat.completions.create(model=model, messages=HELLO)
    assert response.choices[0].message.content == ANSWER

    chunks = client.chat.completions.create(model=model, messages=HELLO, stream=True)
    texts = [chunk.choices[0].delta.content for chunk in chunks]
    assert "".join(text for text in texts if text is not None) == ANSWER

    body = {"model": model, "messages": HELLO}
    assert json.loads(curl(body))["choices"][0]["message"]["content"] == ANSWER
    assert said(curl({**body, "stream": True})) == ANSWER

    # The emulator doesn't know which models can see.
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PICTURE}},
    ]
    messages = [{"role": "user", "content": parts}]
    response = client.chat.completions.create(model=model, messages=messages)
    assert response.choices[0].message.content == "You said: What is this?"
