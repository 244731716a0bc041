import { LOST, type Problem, problemOf } from "./upload-problem.ts";

/** What a sender may set; whatever is left out stays as usual. */
export interface Options {
  title?: string;
  note?: string;
  /** Such as `7d`. */
  expires?: string;
  max_downloads?: number;
  password?: string;
}

/** A file as the server has it. `size` and `received` in bytes. */
export interface ServerFile {
  name: string;
  size: number;
  state: "ready" | "uploading";
  received: number;
}

/** How far this upload link is. */
export interface ShareState {
  state: string;
  files: ServerFile[];
  /** How many files were announced; null before that. */
  expected: number | null;
  /** The share address, once it is finished. */
  url?: string;
}

export type Answer<T> = { value: T } | { problem: Problem };

export interface UploadServer {
  /** Says how many files will come and how they are to be shared. */
  announce(settings: Options & { files: number }): Promise<Answer<undefined>>;
  /** Shares what has arrived; gives the share address. */
  finish(): Promise<Answer<string>>;
  look(): Promise<Answer<ShareState>>;
}

/** Asks about everything of an upload but its bytes. `address` is the path of the upload page. Nothing is thrown. */
export function createUploadServer(address: string): UploadServer {
  /** Whatever is no problem answers: what a link that is closed took comes with the status of the link. */
  async function ask(path: string, init: RequestInit): Promise<Answer<string>> {
    try {
      const response = await fetch(`${address}${path}`, { cache: "no-store", ...init });
      const text = await response.text();
      const { ok, status, headers } = response;
      const type = headers.get("content-type");
      if (ok || type === "application/json") return { value: text };
      return { problem: problemOf({ status, type, text }) };
    } catch (cause) {
      console.warn("no answer from the server", cause);
      return { problem: LOST };
    }
  }

  return {
    async announce(settings) {
      const headers = { "content-type": "application/json", accept: "application/problem+json" };
      const answer = await ask("/settings", { method: "POST", headers, body: JSON.stringify(settings) });
      return "problem" in answer ? answer : { value: undefined };
    },
    async finish() {
      const headers = { accept: "text/plain, application/problem+json" };
      const answer = await ask("/finish", { method: "POST", headers });
      return "problem" in answer ? answer : { value: answer.value.trim() };
    },
    async look() {
      const answer = await ask("", { headers: { accept: "application/json" } });
      if ("problem" in answer) return answer;
      const value: ShareState = JSON.parse(answer.value);
      return { value };
    },
  };
}
