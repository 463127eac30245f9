// The Vercel AI SDK with its provider for whatever speaks as OpenAI does.

import assert from "node:assert/strict";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateObject, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { apiKey, baseURL, picture, run } from "./scenarios.mjs";

const moonshot = createOpenAICompatible({
  name: "moonshot",
  baseURL,
  apiKey,
  supportsStructuredOutputs: true,
});

const settings = { maxRetries: 0 };

const clock = tool({
  description: "Tells the time.",
  inputSchema: z.object({ city: z.string() }),
  execute: async () => "noon",
});

const Forecast = z.object({
  city: z.string(),
  days: z.literal([1, 7, "all"]),
});

await run("Vercel AI SDK", {
  "`generateText`, nothing set": async (model) => {
    const { text } = await generateText({ ...settings, model: moonshot(model), prompt: "Hi" });
    assert.equal(text, "You said: Hi");
  },

  "`streamText`, `temperature: 0`": async (model) => {
    let failure;
    const result = streamText({
      ...settings,
      model: moonshot(model),
      prompt: "Hi",
      temperature: 0,
      onError: ({ error }) => (failure = error),
    });
    let said = "";
    for await (const text of result.textStream) said += text;
    if (failure) throw failure;
    assert.equal(said, "You said: Hi");
  },

  "vision, `temperature: 0`": async (model) => {
    const content = [
      { type: "text", text: "What is this?" },
      { type: "image", image: picture },
    ];
    const { text } = await generateText({
      ...settings,
      model: moonshot(model),
      messages: [{ role: "user", content }],
      temperature: 0,
    });
    assert.equal(text, "You said: What is this?");
  },

  "`generateText`, a tool loop": async (model) => {
    const { text, steps } = await generateText({
      ...settings,
      model: moonshot(model),
      prompt: "Call clock.",
      tools: { clock },
      stopWhen: stepCountIs(3),
    });
    assert.equal(steps.length, 2);
    assert.equal(text, "The tool said: noon");
  },

  '`toolChoice: "required"`': async (model) => {
    const { toolCalls } = await generateText({
      ...settings,
      model: moonshot(model),
      prompt: "Hi",
      tools: { clock },
      toolChoice: "required",
    });
    assert.equal(toolCalls[0].toolName, "clock");
  },

  "a zod tool with a mixed literal": async (model) => {
    const forecast = tool({ inputSchema: Forecast });
    const { toolCalls } = await generateText({
      ...settings,
      model: moonshot(model),
      prompt: "Call forecast.",
      tools: { forecast },
    });
    Forecast.parse(toolCalls[0].input);
  },

  "`generateObject`": async (model) => {
    const { object } = await generateObject({
      ...settings,
      model: moonshot(model),
      prompt: "Hi",
      schema: Forecast,
    });
    Forecast.parse(object);
  },
});
