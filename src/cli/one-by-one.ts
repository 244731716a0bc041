import { toWisError, type WisError } from "../errors.ts";
import { type ExitCode, exit } from "./command.ts";
import { note, print, printJson } from "./output.ts";

interface Outcome {
  id: string;
  error: WisError | undefined;
}

/** Acts on every id, also when it failed with one before. */
export async function oneByOne(ids: string[], act: (id: string) => Promise<void>): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const id of ids) outcomes.push(await tried(id, act));
  return outcomes;
}

async function tried(id: string, act: (id: string) => Promise<void>): Promise<Outcome> {
  try {
    await act(id);
    return { id, error: undefined };
  } catch (error) {
    return { id, error: toWisError(error) };
  }
}

/** Tells what became of each; for scripts with those that it worked for under `done`. Failed when one failed. */
export function tellOutcomes(
  outcomes: Outcome[],
  { json, done }: { json: boolean; done: "removed" | "revoked" },
): ExitCode {
  const failed = outcomes.filter(({ error }) => error !== undefined);
  if (json) {
    printJson({
      [done]: outcomes.filter(({ error }) => error === undefined).map(({ id }) => id),
      failed: failed.map(({ id, error }) => ({ id, code: error?.code, say: error?.say })),
    });
  } else {
    for (const { id, error } of outcomes) error ? note(`${id}: ${error.say}`) : print(id);
  }
  return failed.length === 0 ? exit.ok : exit.failed;
}
