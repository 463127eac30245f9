"""LiteLLM as a client of an OpenAI-compatible server."""

from typing import Literal

import litellm
from pydantic import BaseModel

from scenarios import API_KEY, BASE_URL, PICTURE, Scenarios

litellm.suppress_debug_info = True

scenario = Scenarios("litellm")

CLOCK = {
    "type": "function",
    "function": {
        "name": "clock",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


class Forecast(BaseModel):
    city: str
    days: Literal[1, 7, "all"]


def ask(model, content, **settings):
    messages = content if isinstance(content, list) else [user(content)]
    return litellm.completion(
        model=f"openai/{model}",
        messages=messages,
        api_base=BASE_URL,
        api_key=API_KEY,
        max_retries=0,
        **settings,
    )


def user(content):
    return {"role": "user", "content": content}


@scenario("chat, nothing set")
def chat(model):
    answer = ask(model, "Hi")
    assert answer.choices[0].message.content == "You said: Hi"


@scenario("Moonshot's models by LiteLLM's names")
def routed(model):
    answer = ask(f"moonshot/{model}", "Hi")
    assert answer.choices[0].message.content == "You said: Hi"


@scenario("async, `temperature=1.5`")
async def hot(model):
    answer = await litellm.acompletion(
        model=f"openai/{model}",
        messages=[user("Hi")],
        temperature=1.5,
        api_base=BASE_URL,
        api_key=API_KEY,
        max_retries=0,
    )
    assert answer.choices[0].message.content == "You said: Hi"


@scenario("stream, an empty answer in the history")
def stream(model):
    messages = [user("Hi"), {"role": "assistant", "content": ""}, user("Hello?")]
    chunks = list(ask(model, messages, stream=True))
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert said == "You said: Hello?"


@scenario("vision, `n=2`")
def vision(model):
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PICTURE}},
    ]
    answer = ask(model, [user(parts)], n=2, temperature=0)
    assert answer.choices[0].message.content == "You said: What is this?"


@scenario("structured output")
def structured(model):
    answer = ask(model, "Hi", response_format=Forecast)
    Forecast.model_validate_json(answer.choices[0].message.content)


@scenario("a tool loop, first call forced")
def loop(model):
    messages = [user("Hi")]
    answer = ask(model, messages, tools=[CLOCK], tool_choice="required")
    message = answer.choices[0].message
    [call] = message.tool_calls
    messages.append(message)
    messages.append({"role": "tool", "tool_call_id": call.id, "content": "noon"})
    answer = ask(model, messages, tools=[CLOCK])
    assert answer.choices[0].message.content == "The tool said: noon"


scenario.run()
