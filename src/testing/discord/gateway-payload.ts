/** What a bot logs in with (op 2). */
export interface IdentifyData {
  token: string;
  intents: number;
}

/** What a bot comes back with (op 6). */
export interface ResumeData {
  token: string;
  session_id: string;
  seq: number;
}

/** What a bot sent; undefined when it is not even a payload. */
export function parse(text: string): { op: number; d: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("op" in value)) return undefined;
    return { op: Number(value.op), d: "d" in value ? value.d : null };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function isIdentify(data: unknown): data is IdentifyData {
  return (
    typeof data === "object" &&
    data !== null &&
    "token" in data &&
    typeof data.token === "string" &&
    "intents" in data &&
    typeof data.intents === "number" &&
    // Discord asks for the connection's properties as well.
    "properties" in data
  );
}

export function isResume(data: unknown): data is ResumeData {
  return (
    typeof data === "object" &&
    data !== null &&
    "token" in data &&
    typeof data.token === "string" &&
    "session_id" in data &&
    typeof data.session_id === "string" &&
    "seq" in data &&
    typeof data.seq === "number"
  );
}
