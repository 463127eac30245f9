"""OpenAI's agents SDK."""

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

from thoughts import API_KEY, BASE_URL, TASK, TOOLS, run

set_tracing_disabled(True)
client = AsyncOpenAI(base_url=BASE_URL, api_key=API_KEY, max_retries=0)


async def loop(model, stream):
    agent = Agent(
        name="Assistant",
        instructions="Be brief.",
        model=OpenAIChatCompletionsModel(model=model, openai_client=client),
        tools=[function_tool(tool) for tool in TOOLS],
    )
    if not stream:
        return (await Runner.run(agent, TASK)).final_output
    result = Runner.run_streamed(agent, TASK)
    async for _ in result.stream_events():
        pass
    return result.final_output


run("openai-agents (Python)", loop)
