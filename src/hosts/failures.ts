import { WisError } from "../errors.ts";
import { headerSecrets } from "../lib/header-secrets.ts";
import type { ModelHost } from "../llm/ports.ts";

/** Which host is asked, and about which model: for its requests and for the words of its errors. */
export interface Asked extends Pick<ModelHost, "kind" | "name" | "url"> {
  /** Sent with every request. Shown nowhere. */
  headers: Readonly<Record<string, string>>;
  /** Absent when the request is about no model. */
  model?: string;
}

const called = { ollama: "Ollama", openai: "The OpenAI-compatible server" };

/** Enough of a server's own words to understand them. */
const MAX_WORDS = 500;

/** Shorter ones stand in ordinary words too. */
const SHORTEST_SECRET = 6;

/** A server's own words, for the operator: shortened, and without the headers, which some repeat in their refusals. */
export function quoted({ headers }: Asked, words: string): string {
  const secrets = headerSecrets(headers).filter((secret) => secret.length >= SHORTEST_SECRET);
  return secrets.reduce((text, secret) => text.replaceAll(secret, "[redacted]"), words).slice(0, MAX_WORDS);
}

/** What an HTTP status other than 2xx means. `words` are what came with it. */
export function refusal(asked: Asked, status: number, words: string): WisError {
  const cause = failure(asked, `answered ${status}: ${quoted(asked, words)}`);
  const { name, model } = asked;
  // A 404 that doesn't speak of the model is a wrong address: something else listens there.
  if (status === 404 && model !== undefined && /\bmodel\b/i.test(words) && words.includes(model)) {
    return modelMissing(asked, model, cause);
  }
  if (status === 401 || status === 403) {
    return new WisError("llm.bad_reply", {
      say: `The model server "${name}" did not let WisBot in.`,
      hint: "Ask an admin to put the key that it wants into its headers, under llm.hosts in config.yaml.",
      cause,
    });
  }
  // The question's fault, not the server's: too long for the model, or with what it does not take.
  if (model !== undefined && (status === 400 || status === 413 || status === 422)) {
    return new WisError("bad_request", {
      say: `The model server "${name}" can't take this question.`,
      hint: "Make it shorter, leave out what is attached, or choose another model.",
      cause,
    });
  }
  if (status === 429 || status === 503) {
    return new WisError("llm.host_busy", {
      say: `The model server "${name}" has too much to do right now.`,
      hint: "Ask again in a few minutes.",
      cause,
    });
  }
  return badReply(asked, cause);
}

export function modelMissing({ kind, name }: Asked, model: string, cause?: unknown): WisError {
  return new WisError("llm.model_missing", {
    say: `The model "${model}" is not on the model server "${name}".`,
    hint:
      kind === "ollama"
        ? `An admin can fetch it there with: ollama pull ${model}`
        : "Choose another model, or ask an admin to start that server with this one.",
    cause,
  });
}

export function unreachable(asked: Asked, cause: unknown): WisError {
  return new WisError("llm.unreachable", {
    say: `The model server "${asked.name}" can't be reached.`,
    hint: "Ask an admin to see whether it is running: `wisbot doctor` tells what is wrong.",
    cause: failure(asked, "can't be reached", cause),
  });
}

/** The stream ended before the answer did. */
export function cut(asked: Asked, cause: unknown): WisError {
  return new WisError("llm.cut", {
    say: `The model server "${asked.name}" stopped in the middle of the answer.`,
    hint: "Ask again.",
    cause: failure(asked, "stopped in the middle of an answer", cause),
  });
}

/** It answered, and not as its kind does. */
export function badReply(asked: Asked, cause: unknown): WisError {
  return new WisError("llm.bad_reply", {
    say: `The model server "${asked.name}" could not answer properly.`,
    hint: "Ask again; if it keeps failing, give the error id to an admin.",
    cause: failure(asked, "gave a reply that can't be used", cause),
  });
}

/** A model did not get there: `words` are why. */
export function pullFailed(asked: Asked, model: string, words: string, cause?: unknown): WisError {
  const why = failure(asked, `could not fetch it: ${quoted(asked, words)}`, cause);
  if (/no space left/i.test(words)) {
    return new WisError("disk.full", {
      say: `The disk of the model server "${asked.name}" is full: "${model}" does not fit.`,
      hint: "Fetch a smaller model, or ask an admin to make room there: `ollama rm` removes a model.",
      cause: why,
    });
  }
  return new WisError("llm.pull_failed", {
    say: `The model server "${asked.name}" could not fetch the model "${model}".`,
    hint: "Look at https://ollama.com/library whether it has this name, then try again; an admin can see the reason in the log.",
    cause: why,
  });
}

/** What the operator reads: with the address, without its password. */
function failure({ kind, url, model }: Asked, what: string, cause?: unknown): Error {
  const address = new URL(url);
  address.username = "";
  address.password = "";
  const about = model === undefined ? "" : ` (model ${model})`;
  return new Error(
    `${called[kind]} at ${address}${about} ${what}`,
    cause === undefined ? undefined : { cause },
  );
}
