/** Where in a body something is wrong, as Discord nests it: keys and indexes, `_errors` at the leaves. */
export interface FormErrors {
  [key: string]: FormErrors | { code: string; message: string }[];
}

/** An answer that refuses. Codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json */
export class DiscordError extends Error {
  override readonly name = "DiscordError";
  readonly status: number;
  readonly code: number;
  readonly errors: FormErrors | undefined;

  constructor(status: number, code: number, message: string, errors?: FormErrors) {
    super(message);
    this.status = status;
    this.code = code;
    this.errors = errors;
  }

  body() {
    return { message: this.message, code: this.code, ...(this.errors && { errors: this.errors }) };
  }
}

export const refused = {
  unauthorized: () => new DiscordError(401, 0, "401: Unauthorized"),
  noRoute: () => new DiscordError(404, 0, "404: Not Found"),
  unknownChannel: () => new DiscordError(404, 10003, "Unknown Channel"),
  unknownGuild: () => new DiscordError(404, 10004, "Unknown Guild"),
  unknownMember: () => new DiscordError(404, 10007, "Unknown Member"),
  unknownMessage: () => new DiscordError(404, 10008, "Unknown Message"),
  unknownApplication: () => new DiscordError(404, 10002, "Unknown Application"),
  unknownUser: () => new DiscordError(404, 10013, "Unknown User"),
  unknownWebhook: () => new DiscordError(404, 10015, "Unknown Webhook"),
  unknownInteraction: () => new DiscordError(404, 10062, "Unknown interaction"),
  unknownCommand: () => new DiscordError(404, 10063, "Unknown application command"),
  tooLarge: () => new DiscordError(413, 40005, "Request entity too large"),
  acknowledged: () => new DiscordError(400, 40060, "Interaction has already been acknowledged."),
  wrongResponse: () => new DiscordError(400, 50035, "Invalid Form Body"),
  missingAccess: () => new DiscordError(403, 50001, "Missing Access"),
  notAuthor: () => new DiscordError(403, 50005, "Cannot edit a message authored by another user"),
  empty: () => new DiscordError(400, 50006, "Cannot send an empty message"),
  messagesClosed: () => new DiscordError(403, 50007, "Cannot send messages to this user"),
  wrongChannel: () => new DiscordError(400, 50024, "Cannot execute action on this channel type"),
  hasThread: () => new DiscordError(400, 160004, "A thread has already been created for this message"),
  archived: () => new DiscordError(400, 50083, "Thread is archived"),
  missingPermissions: () => new DiscordError(403, 50013, "Missing Permissions"),
  tokenExpired: () => new DiscordError(401, 50027, "Invalid Webhook Token"),
  notJson: () => new DiscordError(400, 50109, "The request body contains invalid JSON."),
};

export interface FormProblem {
  path: PropertyKey[];
  code: string;
  message: string;
}

/** 50035 with every problem at its place. */
export function invalidForm(problems: FormProblem[]): DiscordError {
  const errors: FormErrors = {};
  for (const { path, code, message } of problems) {
    let place = errors;
    for (const key of path.map(String)) {
      const next = place[key];
      const inner: FormErrors = next === undefined || Array.isArray(next) ? {} : next;
      place[key] = inner;
      place = inner;
    }
    const leaf = place._errors;
    place._errors = [...(Array.isArray(leaf) ? leaf : []), { code, message }];
  }
  return new DiscordError(400, 50035, "Invalid Form Body", errors);
}
