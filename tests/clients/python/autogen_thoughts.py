"""AutoGen."""

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient

from thoughts import API_KEY, BASE_URL, TASK, TOOLS, run

MODEL_INFO = {
    "vision": False,
    "function_calling": True,
    "json_output": False,
    "structured_output": False,
    "family": "unknown",
}


async def loop(model, stream):
    client = OpenAIChatCompletionClient(
        model=model,
        base_url=BASE_URL,
        api_key=API_KEY,
        max_retries=0,
        model_info=MODEL_INFO,
    )
    agent = AssistantAgent(
        "assistant",
        model_client=client,
        model_client_stream=stream,
        system_message="Be brief.",
        tools=TOOLS,
        max_tool_iterations=4,
    )
    result = await agent.run(task=TASK)
    await client.close()
    return result.messages[-1].content


run("autogen", loop)
