"""Haystack."""

from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import tool
from haystack.utils import Secret

from thoughts import API_KEY, BASE_URL, TASK, TOOLS, run


def loop(model, stream):
    agent = Agent(
        chat_generator=OpenAIChatGenerator(
            model=model,
            api_base_url=BASE_URL,
            api_key=Secret.from_token(API_KEY),
            max_retries=0,
        ),
        system_prompt="Be brief.",
        tools=[tool(function) for function in TOOLS],
    )
    callback = (lambda chunk: None) if stream else None
    result = agent.run(
        messages=[ChatMessage.from_user(TASK)], streaming_callback=callback
    )
    return result["messages"][-1].text


run("haystack", loop)
