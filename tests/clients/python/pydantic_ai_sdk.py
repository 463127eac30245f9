"""Agents of Pydantic AI."""

from typing import Literal

from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, ModelSettings, NativeOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from scenarios import API_KEY, BASE_URL, Scenarios

scenario = Scenarios("pydantic-ai")


class Forecast(BaseModel):
    """The weather of the next days."""

    city: str
    days: Literal[1, 7, "all"]


class Place(BaseModel):
    """Where something is."""

    city: str


def agent(model, **settings):
    client = AsyncOpenAI(base_url=BASE_URL, api_key=API_KEY, max_retries=0)
    provider = OpenAIProvider(openai_client=client)
    return Agent(OpenAIChatModel(model, provider=provider), **settings)


def clock(city: str) -> str:
    """Tells the time."""
    return "noon"


@scenario("`temperature=0`, stream")
async def stream(model):
    settings = ModelSettings(temperature=0)
    async with agent(model, model_settings=settings).run_stream("Hi") as result:
        assert await result.get_output() == "You said: Hi"


@scenario("an agent with a tool")
async def with_tool(model):
    result = await agent(model, tools=[clock]).run("Call clock.")
    assert result.output == "The tool said: noon"


@scenario("an agent with a tool and an output type")
async def with_type(model):
    result = await agent(model, tools=[clock], output_type=Place).run("Hi")
    assert isinstance(result.output, Place)


@scenario("native structured output")
async def native(model):
    result = await agent(model, output_type=NativeOutput(Forecast)).run("Hi")
    assert isinstance(result.output, Forecast)


scenario.run()
