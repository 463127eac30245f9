// Runs a client's loop of tool calls, and writes down which thoughts came back: see
// ../python/thoughts.py, which does the same.

import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { z } from "zod";

const { CLIENTS_BASE_URL, CLIENTS_RESULTS, CLIENTS_RETURNED_THOUGHTS, CLIENTS_THINKING_MODELS } =
  process.env;

export const baseURL = CLIENTS_BASE_URL;
export const apiKey = "sk-anything";

export const task = "Call clock, then calendar, then weather.";

export const tools = [
  { name: "clock", parameters: { city: z.string(), zone: z.string() }, result: "noon" },
  { name: "calendar", parameters: { year: z.number() }, result: "Monday" },
  { name: "weather", parameters: { city: z.string() }, result: "rain" },
];

const returned = async () => (await fetch(CLIENTS_RETURNED_THOUGHTS)).json();

export async function run(client, loop) {
  for (const stream of [false, true]) {
    for (const model of CLIENTS_THINKING_MODELS.split(" ")) {
      const first = (await returned()).length;
      let fault = null;
      try {
        assert.equal(await loop(model, stream), "The tool said: rain");
      } catch (error) {
        fault = String(error?.stack ?? error);
      }
      const line = { client, model, stream, first, fault, returned: (await returned()).slice(first) };
      appendFileSync(CLIENTS_RESULTS, JSON.stringify(line) + "\n");
    }
  }
}
