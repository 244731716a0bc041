import type { PartState } from "../../doctor/ports.ts";
import type { WebDeps } from "../deps.ts";
import type { Handler } from "../env.ts";
import { json } from "../page.ts";

/** `GET /live`: the process is up, and which one it is. */
export function live({ version, instance }: Pick<WebDeps, "version" | "instance">): Handler<"/live"> {
  return (c) => json(c, { name: "wisbot", version, instance });
}

/** `GET /ready`: every part's state. 503 only when wisbot can't do its work at all: database or disk. */
export function ready({ version, parts }: Pick<WebDeps, "version" | "parts">): Handler<"/ready"> {
  return async (c) => {
    const states = await parts();
    const status = overall(states);
    const details = Object.fromEntries(states.map(({ part, state, detail }) => [part, { state, detail }]));
    return json(c, { status, version, parts: details }, status === "failed" ? 503 : 200);
  };
}

const VITAL: PartState["part"][] = ["database", "disk"];

function overall(states: PartState[]): "ok" | "degraded" | "failed" {
  if (states.some(({ part, state }) => state === "failed" && VITAL.includes(part))) return "failed";
  return states.every(({ state }) => state === "ok" || state === "off") ? "ok" : "degraded";
}
