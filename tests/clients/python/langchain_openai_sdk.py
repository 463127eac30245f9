"""LangChain's client for OpenAI, and an agent of LangChain's."""

from typing import Literal

from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from scenarios import API_KEY, BASE_URL, Scenarios

scenario = Scenarios("langchain-openai")


def llm(model, **settings):
    return ChatOpenAI(
        model=model, base_url=BASE_URL, api_key=API_KEY, max_retries=0, **settings
    )


@tool
def clock(city: str) -> str:
    """Tells the time."""
    return "noon"


class Forecast(BaseModel):
    """The weather of the next days."""

    city: str
    days: Literal[1, 7, "all"]


class Place(BaseModel):
    """Where something is."""

    city: str


@scenario("`temperature=0`, stream")
def stream(model):
    chunks = list(llm(model, temperature=0).stream("Hi"))
    assert "".join(chunk.text for chunk in chunks) == "You said: Hi"


@scenario("an agent with a tool")
def agent(model):
    agent = create_agent(llm(model), tools=[clock])
    result = agent.invoke({"messages": [("user", "Call clock.")]})
    assert result["messages"][-1].text == "The tool said: noon"


@scenario("an agent with a tool and an output type")
def typed_agent(model):
    agent = create_agent(
        llm(model), tools=[clock], response_format=ToolStrategy(Place)
    )
    result = agent.invoke({"messages": [("user", "Hi")]})
    assert isinstance(result["structured_response"], Place)


@scenario('`tool_choice="any"`')
def forced(model):
    bound = llm(model).bind_tools([clock], tool_choice="any")
    [call] = bound.invoke("Hi").tool_calls
    assert call["name"] == "clock"


@scenario("`with_structured_output`")
def structured(model):
    answer = llm(model).with_structured_output(Forecast).invoke("Hi")
    assert isinstance(answer, Forecast)


@scenario("`with_structured_output`, by function calling")
def structured_by_function(model):
    runnable = llm(model).with_structured_output(Place, method="function_calling")
    assert isinstance(runnable.invoke("Hi"), Place)


scenario.run()
