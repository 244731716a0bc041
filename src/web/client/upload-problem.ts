/** What the server says about a failure (RFC 9457), as far as a person needs it. */
export interface Problem {
  say: string;
  hint: string;
  errorId: string | undefined;
  /** Such as `ticket.expired`; undefined when no answer came. */
  code: string | undefined;
}

/** No answer came: the network or the server is away. */
export const LOST: Problem = {
  say: "The connection broke off.",
  hint: "Check your network and try again: what has arrived is kept.",
  errorId: undefined,
  code: undefined,
};

interface Answered {
  status: number;
  /** The Content-Type header. */
  type: string | null;
  text: string;
}

/** Reads a refusal in the server's own words. A status of 0 stands for no answer. */
export function problemOf({ status, type, text }: Answered): Problem {
  if (status === 0) return LOST;
  if (!type?.includes("json")) {
    // A proxy in between answers in its own words.
    return { ...LOST, say: `The server answered with an error (${status}).`, hint: "Try again in a moment." };
  }
  const body: { type?: string; detail?: string; hint?: string; error_id?: string } = JSON.parse(text);
  return {
    say: body.detail ?? "The upload failed.",
    hint: body.hint ?? "Try again.",
    errorId: body.error_id,
    code: body.type?.split(":").at(-1),
  };
}
