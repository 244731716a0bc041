import { z } from "zod";
import type { LoadedConfig } from "../config/loaded.ts";
import type { Check, Finding } from "../doctor/ports.ts";
import { instanceOf } from "./instance.ts";

type WebChecksDeps = Pick<LoadedConfig, "config" | "dataDir" | "publicUrl" | "discordToken">;

/** What doctor asks about the web edge. */
export function webChecks({ config, dataDir, publicUrl, discordToken }: WebChecksDeps): Check[] {
  return [
    {
      code: "web.port",
      title: "The web port is free, or this WisBot has it",
      offline: true,
      run: (signal) => checkPort({ ...config.web, instance: instanceOf(dataDir), signal }),
    },
    {
      code: "web.public_url",
      title: "Links work from elsewhere",
      offline: true,
      run: async () => checkPublicUrl(publicUrl, discordToken !== undefined),
    },
  ];
}

interface PortQuestion {
  host: string;
  port: number;
  instance: string;
  signal: AbortSignal;
}

async function checkPort({ host, port, instance, signal }: PortQuestion): Promise<Finding> {
  const refusal = tryToListen(host, port);
  if (refusal === undefined) return { severity: "ok", detail: `Port ${port} on ${host} is free.` };
  if (refusal !== "EADDRINUSE") return unusable(host, port, refusal);
  const holder = await whoAnswers(host, port, signal);
  if (holder?.instance === instance) {
    return { severity: "ok", detail: `This WisBot (${holder.version}) is running on port ${port}.` };
  }
  return {
    severity: "fail",
    detail: holder
      ? `Port ${port} on ${host} belongs to another WisBot, with another data dir.`
      : `Port ${port} on ${host} belongs to another program.`,
    fix: `End what holds it (ss -ltnp 'sport = :${port}' names it), or choose another web.port.`,
  };
}

/** Undefined: the port was free a moment ago. Otherwise the system's error code. */
function tryToListen(hostname: string, port: number): string | undefined {
  try {
    Bun.listen({ hostname, port, socket: { data() {} } }).stop(true);
    return undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
    throw error;
  }
}

function unusable(host: string, port: number, code: string): Finding {
  if (code === "EACCES") {
    const fix = "Choose a web.port of 1024 or higher, and let a reverse proxy take port 80 or 443.";
    return { severity: "fail", detail: `Port ${port} is reserved for the administrator.`, fix };
  }
  return {
    severity: "fail",
    detail: `WisBot can't listen on ${host}, port ${port} (${code}).`,
    fix: "Set web.host to an address of this machine: 127.0.0.1, or 0.0.0.0 for all of them.",
  };
}

const liveAnswer = z.object({ name: z.literal("wisbot"), version: z.string(), instance: z.string() });

// A program that takes connections and stays silent is not wisbot: this is enough for a busy machine.
const ANSWER_MS = 2_000;

/** The wisbot behind a port; undefined when whatever holds it does not answer as one. */
async function whoAnswers(host: string, port: number, signal: AbortSignal) {
  const local = host === "0.0.0.0" || host === "::" ? "localhost" : host.includes(":") ? `[${host}]` : host;
  try {
    const response = await fetch(`http://${local}:${port}/live`, {
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    });
    return liveAnswer.safeParse(await response.json()).data;
  } catch (error) {
    // Every failure says the same, that it is another program; only the end of doctor itself says something else.
    if (signal.aborted) throw error;
    return undefined;
  }
}

function checkPublicUrl(publicUrl: string, discordOn: boolean): Finding {
  const { hostname, protocol } = new URL(publicUrl);
  const here = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0)$/.test(hostname);
  if (here && discordOn) {
    return {
      severity: "warn",
      detail: `Links begin with ${publicUrl}, which only works on this machine.`,
      fix: "Set web.public_url to the address that members reach WisBot by, such as https://wis.example.org.",
    };
  }
  if (!here && protocol === "http:") {
    return {
      severity: "warn",
      detail: `Links begin with ${publicUrl}: files and links travel unencrypted.`,
      fix: "Put a reverse proxy with a certificate in front and set web.public_url to its https address.",
    };
  }
  return { severity: "ok", detail: `Links begin with ${publicUrl}.` };
}
