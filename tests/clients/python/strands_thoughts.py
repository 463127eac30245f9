"""Strands Agents. Its model for OpenAI's API always streams."""

from strands import Agent, tool
from strands.models.openai import OpenAIModel

from thoughts import API_KEY, BASE_URL, TASK, TOOLS, run


def loop(model, stream):
    agent = Agent(
        model=OpenAIModel(
            client_args={"base_url": BASE_URL, "api_key": API_KEY, "max_retries": 0},
            model_id=model,
        ),
        system_prompt="Be brief.",
        tools=[tool(function) for function in TOOLS],
        callback_handler=None,
    )
    return str(agent(TASK)).strip()


run("strands", loop, streams=[True])
