"""OpenAI's own client."""

from typing import Literal

import openai
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from scenarios import API_KEY, BASE_URL, PICTURE, PICTURE_URL, Scenarios

client = OpenAI(base_url=BASE_URL, api_key=API_KEY, max_retries=0)

scenario = Scenarios("openai (Python)")


class Forecast(BaseModel):
    """The weather of the next days."""

    city: str
    days: Literal[1, 7, "all"]
    hourly: bool | None


FORECAST = openai.pydantic_function_tool(Forecast, name="forecast")

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


def user(text):
    return {"role": "user", "content": text}


@scenario("chat, nothing set")
def chat(model):
    completion = client.chat.completions.create(model=model, messages=[user("Hi")])
    assert completion.choices[0].message.content == "You said: Hi"


@scenario("async, a developer message")
async def developer(model):
    async with AsyncOpenAI(base_url=BASE_URL, api_key=API_KEY, max_retries=0) as client:
        completion = await client.chat.completions.create(
            model=model,
            messages=[{"role": "developer", "content": "Be brief."}, user("Hi")],
        )
    assert completion.choices[0].message.content == "You said: Hi"


@scenario("stream, `temperature=0.2`")
def stream(model):
    chunks = list(
        client.chat.completions.create(
            model=model,
            messages=[user("Hi")],
            temperature=0.2,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert said == "You said: Hi"
    assert chunks[-1].usage.total_tokens > 0


@scenario("content in parts")
def parts(model):
    parts = [{"type": "text", "text": "Hi "}, {"type": "text", "text": "there"}]
    completion = client.chat.completions.create(model=model, messages=[user(parts)])
    assert completion.choices[0].message.content == "You said: Hi there"


@scenario("vision, `temperature=0`")
def vision(model):
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PICTURE}},
    ]
    completion = client.chat.completions.create(
        model=model, messages=[user(parts)], temperature=0
    )
    assert completion.choices[0].message.content == "You said: What is this?"


@scenario("vision, a picture by URL")
def picture_by_url(model):
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PICTURE_URL}},
    ]
    completion = client.chat.completions.create(model=model, messages=[user(parts)])
    assert completion.choices[0].message.content == "You said: What is this?"


@scenario("a tool of a pydantic model")
def tool(model):
    completion = client.chat.completions.create(
        model=model, messages=[user("Call forecast.")], tools=[FORECAST]
    )
    [call] = completion.choices[0].message.tool_calls
    assert call.function.name == "forecast"
    Forecast.model_validate_json(call.function.arguments)


@scenario('`tool_choice="required"`')
def required(model):
    completion = client.chat.completions.create(
        model=model, messages=[user("Hi")], tools=[CLOCK], tool_choice="required"
    )
    [call] = completion.choices[0].message.tool_calls
    assert call.function.name == "clock"


@scenario("`tool_choice` names a function")
def named(model):
    other = {"type": "function", "function": {"name": "other"}}
    completion = client.chat.completions.create(
        model=model,
        messages=[user("Hi")],
        tools=[other, CLOCK],
        tool_choice={"type": "function", "function": {"name": "clock"}},
    )
    [call] = completion.choices[0].message.tool_calls
    assert call.function.name == "clock"


@scenario("structured output, `parse`")
def structured(model):
    completion = client.chat.completions.parse(
        model=model, messages=[user("Hi")], response_format=Forecast
    )
    assert isinstance(completion.choices[0].message.parsed, Forecast)


@scenario("a tool loop, messages sent back as they came")
def loop(model):
    messages = [user("Call clock.")]
    for _ in range(2):
        completion = client.chat.completions.create(
            model=model, messages=messages, tools=[CLOCK]
        )
        message = completion.choices[0].message
        messages.append(message)
        for call in message.tool_calls or []:
            messages.append(
                {"role": "tool", "tool_call_id": call.id, "content": "noon"}
            )
    assert message.content == "The tool said: noon"


@scenario("a tool loop, messages made anew from streams")
def streamed_loop(model):
    messages = [user("Call clock.")]
    for _ in range(2):
        with client.chat.completions.stream(
            model=model, messages=messages, tools=[CLOCK]
        ) as stream:
            message = stream.get_final_completion().choices[0].message
        calls = [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": call.function.name,
                    "arguments": call.function.arguments,
                },
            }
            for call in message.tool_calls or []
        ]
        if calls:
            messages.append(
                {"role": "assistant", "content": message.content, "tool_calls": calls}
            )
        for call in calls:
            messages.append(
                {"role": "tool", "tool_call_id": call["id"], "content": "noon"}
            )
    assert message.content == "The tool said: noon"


scenario.run()
