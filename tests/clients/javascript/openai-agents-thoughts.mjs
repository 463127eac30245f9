// OpenAI's agents SDK.

import { Agent, OpenAIChatCompletionsModel, Runner, setTracingDisabled, tool } from "@openai/agents";
import OpenAI from "openai";
import { z } from "zod";
import { apiKey, baseURL, run, task, tools } from "./thoughts.mjs";

setTracingDisabled(true);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });

await run("openai-agents (JavaScript)", async (model, stream) => {
  const agent = new Agent({
    name: "Assistant",
    instructions: "Be brief.",
    model: new OpenAIChatCompletionsModel(client, model),
    tools: tools.map(({ name, parameters, result }) =>
      tool({ name, description: name, parameters: z.object(parameters), execute: () => result }),
    ),
  });
  const runner = new Runner();
  if (!stream) return (await runner.run(agent, task)).finalOutput;
  const result = await runner.run(agent, task, { stream: true });
  for await (const event of result) void event;
  await result.completed;
  return result.finalOutput;
});
