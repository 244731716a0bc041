import type { MemoryDesk } from "../app/llm.ts";
import type { LoadedConfig } from "../config/loaded.ts";
import { WisError } from "../errors.ts";
import { systemNow as now } from "../lib/clock.ts";
import { count } from "../lib/count.ts";
import type { AttemptRow, ForgottenTurns } from "../llm/ports.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { type ExitCode, exit, type Globals } from "./command.ts";
import { toNewFile, toStdout } from "./files-save.ts";
import { iso, local } from "./files-shown.ts";
import { note, print, printJson, table } from "./output.ts";
import { withOpened } from "./session.ts";

interface Input {
  globals: Globals;
  json: boolean;
}

function withMemory<T>(
  globals: Globals,
  run: (memory: MemoryDesk, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return withOpened(globals, openMemory, run);
}

async function openMemory(loaded: LoadedConfig, telemetry: Telemetry): Promise<MemoryDesk> {
  const app = await import("../app/llm.ts");
  return app.openMemory(loaded, telemetry);
}

/** `llm history`: every attempt, failures too, newest first; of everybody, a member, a server, or one in the other. */
export async function history(
  input: Input & { user?: string; server?: string; limit: number },
): Promise<ExitCode> {
  const { globals, json, user, server, limit } = input;
  const filter = {
    ...(user !== undefined && { userId: user }),
    ...(server !== undefined && { guildId: server }),
  };
  const rows = await withMemory(globals, (memory) => memory.history({ ...filter, limit }));
  if (json) printJson(rows.map(attemptAsJson));
  else if (rows.length === 0) note("Nothing was asked yet, or it is older than llm.keep_history_for.");
  else print(table([attemptColumns, ...rows.map(attemptAsCells)]));
  return exit.ok;
}

function attemptAsJson(row: AttemptRow) {
  return {
    id: row.id,
    turn: row.turnId,
    at: iso(row.createdAt),
    ended_at: iso(row.endedAt),
    user: row.userId,
    server: row.guildId,
    channel: row.channelId,
    model: row.model,
    host: row.host,
    input_tokens: row.inputTokens,
    output_tokens: row.outputTokens,
    wait_ms: row.queueMs,
    first_token_ms: row.firstTokenMs,
    duration_ms: row.durationMs,
    outcome: row.outcome,
    trace_id: row.traceId,
    vote: row.vote,
    question: row.question,
    answer: row.answer,
  };
}

const attemptColumns = [
  ...["WHEN", "USER", "MODEL", "HOST", "IN", "OUT", "WAIT", "FIRST TOKEN", "DURATION", "OUTCOME", "TRACE"],
];

function attemptAsCells(row: AttemptRow): string[] {
  const { createdAt, userId, model, host, queueMs, firstTokenMs, durationMs, outcome, traceId } = row;
  const tokens = [row.inputTokens, row.outputTokens].map((number) => String(number ?? "–"));
  const times = [queueMs, firstTokenMs, durationMs].map(seconds);
  const end = outcome ?? "running";
  return [local(createdAt), userId, model, host, ...tokens, ...times, end, traceId.slice(0, 8)];
}

const seconds = (ms: number | null) => (ms === null ? "–" : `${(ms / 1000).toFixed(1)} s`);

/** `llm votes`: of each model, most answers first. */
export async function votes({ globals, json, server }: Input & { server?: string }): Promise<ExitCode> {
  const unsorted = await withMemory(globals, (memory) => memory.votes(server));
  const rows = unsorted.toSorted((a, b) => b.answers - a.answers);
  if (json) printJson(rows);
  else if (rows.length === 0) note("No answers yet.");
  else {
    const cells = rows.map(({ model, up, down, answers }) => [model, ...[up, down, answers].map(String)]);
    print(table([["MODEL", "UP", "DOWN", "ANSWERS"], ...cells]));
  }
  return exit.ok;
}

/** `llm export`: one JSON document, of any length. [usage when the file exists, disk.failed] */
export async function exportOf({
  globals,
  user,
  output,
}: {
  globals: Globals;
  user: string;
  output?: string;
}): Promise<ExitCode> {
  await withMemory(globals, (memory, signal) => {
    const pieces = memory.exportOf(user);
    return output === undefined ? toStdout(pieces, signal) : toNewFile(output, pieces, signal);
  });
  if (output !== undefined) print(output);
  return exit.ok;
}

/** `llm forget`: asks first, or is told that it need not; prints a receipt. [usage] */
export async function forget(input: Input & { user: string; yes: boolean }): Promise<ExitCode> {
  const { globals, json, user, yes } = input;
  if (!yes && !(await agrees(globals, user))) {
    note("Nothing was erased.");
    return exit.failed;
  }
  const erased = await withMemory(globals, (memory) => memory.forget(user));
  if (json) printJson({ user, at: iso(now()), ...erased });
  else print(`Erased of ${user}: ${what(erased)}.`);
  return exit.ok;
}

/** Nothing is open while somebody thinks about it: `serve` may start meanwhile. */
async function agrees(globals: Globals, user: string): Promise<boolean> {
  // Inquirer spins at full speed on a stdin that is closed (Bun 1.4.5): never open it there.
  if (process.stdin.isTTY !== true) {
    throw new WisError("usage", {
      say: "Erasing is asked about first, and this is no terminal to ask at.",
      hint: `wisbot llm forget ${user} --yes erases without asking.`,
    });
  }
  const { confirm } = await import("@inquirer/prompts");
  const known = await withMemory(globals, (memory) => memory.known(user));
  note(`WisBot knows of ${user}: ${what(known)}.`);
  note("Their files and API tokens stay, and what stands in Discord.");
  try {
    const message = "Erase it for good?";
    return await confirm({ message, default: false }, { output: process.stderr });
  } catch (error) {
    if (error instanceof Error && error.name === "ExitPromptError") return false;
    throw error;
  }
}

function what({ turns, attempts, choices }: ForgottenTurns): string {
  return [count(turns, "question"), `${count(attempts, "line")} of history`, count(choices, "choice")].join(
    ", ",
  );
}
