/** What the server says about a failure (RFC 9457), as far as a person needs it. */
export interface Problem {
  say: string;
  hint: string;
  errorId: string | undefined;
  /** Such as `ticket.busy`; undefined when no answer came. */
  code: string | undefined;
}

export interface Sending {
  /** The share address, a problem to show, or undefined after `cancel`. */
  outcome: Promise<{ link: string } | { problem: Problem } | undefined>;
  cancel(): void;
}

/** Sends one file. XMLHttpRequest, since fetch tells nothing about the progress of a body. */
export function send(address: string, file: File, onProgress: (bytes: number) => void): Sending {
  const request = new XMLHttpRequest();
  const outcome = new Promise<{ link: string } | { problem: Problem } | undefined>((resolve) => {
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded));
    request.addEventListener("load", () => {
      const done = request.status >= 200 && request.status < 300;
      resolve(done ? { link: request.responseText.trim() } : { problem: problemOf(request) });
    });
    request.addEventListener("error", () => resolve({ problem: LOST }));
    request.addEventListener("abort", () => resolve(undefined));
    request.open("PUT", `${address}/${encodeURIComponent(file.name)}`);
    request.setRequestHeader("Accept", "application/problem+json, text/plain");
    if (file.type) request.setRequestHeader("Content-Type", file.type);
    request.send(file);
  });
  return { outcome, cancel: () => request.abort() };
}

const LOST: Problem = {
  say: "The connection broke off before the file was through.",
  hint: "Check your network and try again: the link still works.",
  errorId: undefined,
  code: undefined,
};

function problemOf(request: XMLHttpRequest): Problem {
  const type = request.getResponseHeader("Content-Type") ?? "";
  if (!type.includes("json")) {
    // A proxy in between answers in its own words.
    return {
      ...LOST,
      say: `The server answered ${request.status} ${request.statusText}.`,
      hint: "Try again.",
    };
  }
  const body: { type?: string; detail?: string; hint?: string; error_id?: string } = JSON.parse(
    request.responseText,
  );
  return {
    say: body.detail ?? "The upload failed.",
    hint: body.hint ?? "Try again.",
    errorId: body.error_id,
    code: body.type?.split(":").at(-1),
  };
}
