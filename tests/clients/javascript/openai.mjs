// OpenAI's own client.

import assert from "node:assert/strict";
import OpenAI from "openai";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { apiKey, baseURL, picture, run } from "./scenarios.mjs";

const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });

const Forecast = z.object({
  city: z.string(),
  days: z.literal([1, 7, "all"]),
});

const clock = {
  type: "function",
  function: {
    name: "clock",
    parameters: {
      type: "object",
      properties: { city: { type: "string" }, zone: { type: "string" } },
      anyOf: [{ required: ["city"] }, { required: ["zone"] }],
    },
  },
};

const user = (content) => ({ role: "user", content });

await run("openai (JavaScript)", {
  "chat, nothing set": async (model) => {
    const completion = await client.chat.completions.create({ model, messages: [user("Hi")] });
    assert.equal(completion.choices[0].message.content, "You said: Hi");
  },

  "stream, `temperature: 0.2`": async (model) => {
    const stream = await client.chat.completions.create({
      model,
      messages: [{ role: "developer", content: "Be brief." }, user("Hi")],
      temperature: 0.2,
      stream: true,
    });
    let said = "";
    for await (const chunk of stream) said += chunk.choices[0]?.delta.content ?? "";
    assert.equal(said, "You said: Hi");
  },

  "vision, `top_p: 0.9`": async (model) => {
    const content = [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: picture } },
    ];
    const completion = await client.chat.completions.create({
      model,
      messages: [user(content)],
      top_p: 0.9,
    });
    assert.equal(completion.choices[0].message.content, "You said: What is this?");
  },

  "a tool that wants one of two": async (model) => {
    const completion = await client.chat.completions.create({
      model,
      messages: [user("Call clock.")],
      tools: [clock],
    });
    const [call] = completion.choices[0].message.tool_calls;
    assert.equal(call.function.name, "clock");
  },

  '`tool_choice: "required"`, a zod tool': async (model) => {
    const parameters = z.object({ city: z.string() });
    const completion = await client.chat.completions.parse({
      model,
      messages: [user("Hi")],
      tools: [zodFunction({ name: "sunrise", parameters })],
      tool_choice: "required",
    });
    const [call] = completion.choices[0].message.tool_calls;
    assert.equal(typeof call.function.parsed_arguments.city, "string");
  },

  "structured output, `parse` with zod": async (model) => {
    const completion = await client.chat.completions.parse({
      model,
      messages: [user("Hi")],
      response_format: zodResponseFormat(Forecast, "forecast"),
    });
    Forecast.parse(completion.choices[0].message.parsed);
  },

  "`runTools`": async (model) => {
    const runner = client.chat.completions.runTools({
      model,
      messages: [user("Call sunset.")],
      tools: [
        zodFunction({
          name: "sunset",
          parameters: z.object({ city: z.string() }),
          function: () => "at six",
        }),
      ],
    });
    assert.equal(await runner.finalContent(), "The tool said: at six");
  },
});
