// Runs a client's scenarios on every model, and says how each went: see
// ../python/scenarios.py, which does the same.

import { appendFileSync } from "node:fs";

const { CLIENTS_BASE_URL, CLIENTS_MODELS, CLIENTS_RESULTS } = process.env;

export const baseURL = CLIENTS_BASE_URL;

// It says nothing to the emulator, but clients want one.
export const apiKey = "sk-anything";

// One red pixel.
export const picture =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1Pe" +
  "AAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

export async function run(client, scenarios) {
  for (const [scenario, ask] of Object.entries(scenarios)) {
    for (const model of CLIENTS_MODELS.split(" ")) {
      let refusal = null;
      let fault = null;
      try {
        await ask(model);
      } catch (error) {
        refusal = refusalOf(error);
        fault = refusal === null ? String(error?.stack ?? error) : null;
      }
      const line = { client, scenario, model, refusal, fault };
      appendFileSync(CLIENTS_RESULTS, JSON.stringify(line) + "\n");
    }
  }
}

// Moonshot's message, which OpenAI's client has as `error`, and the AI SDK as the
// text that came.
function refusalOf(error) {
  for (; error; error = error.cause) {
    if (error.status !== undefined && error.error?.message) {
      return error.error.message;
    }
    if (error.statusCode !== undefined && error.responseBody) {
      return JSON.parse(error.responseBody).error.message;
    }
  }
  return null;
}
