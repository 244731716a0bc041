import { STATUS_CODES } from "node:http";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { ErrorPage } from "../../templates/error.tsx";
import { type ErrorCode, isWisError, toWisError, WisError } from "../errors.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import { assetUrls } from "./assets.ts";
import type { WebEnv } from "./env.ts";
import { json, page, wantsPage } from "./page.ts";
import { RateLimited } from "./rates.ts";

/** Every failure's HTTP status. A new code does not compile until it has one. */
export const statusOf: Record<ErrorCode, ContentfulStatusCode> = {
  usage: 400,
  internal: 500,
  not_found: 404,
  forbidden: 403,
  cross_site: 403,
  bad_request: 400,
  rate_limited: 429,
  shutting_down: 503,
  "config.invalid": 500,
  "config.missing": 500,
  "config.exists": 500,
  "config.unwritable": 500,
  "data_dir.unwritable": 500,
  "data_dir.locked": 500,
  "database.corrupt": 500,
  "database.newer": 500,
  "database.failed": 503,
  "disk.full": 507,
  "disk.failed": 500,
  "port.in_use": 500,
  "ticket.unknown": 404,
  "ticket.used": 410,
  "ticket.expired": 410,
  "ticket.busy": 409,
  "file.unknown": 404,
  "file.spent": 410,
  "password.needed": 401,
  "password.wrong": 401,
  "file.too_large": 413,
  "file.name_invalid": 400,
  "file.corrupt": 500,
  "range.unsatisfiable": 416,
  "precondition.failed": 412,
  "quota.files": 403,
  "quota.bytes": 413,
  "quota.llm": 429,
  "upload.unknown": 404,
  "upload.offset": 409,
  "upload.finished": 410,
  "upload.cut": 400,
  "upload.slow": 408,
  "upload.length_mismatch": 400,
  "share.invalid": 400,
  "token.unknown": 401,
  "token.limit": 403,
  "admin.sign_in": 401,
  "admin.link_spent": 410,
  "attachment.refused": 400,
  "attachment.failed": 502,
  "attachment.unreadable": 400,
  "announce.undeliverable": 502,
  "discord.token_refused": 502,
  "discord.intents_refused": 502,
  "discord.unreachable": 502,
  "discord.failed": 502,
  "llm.model_refused": 403,
  "llm.pull_failed": 502,
  "llm.off": 503,
  "llm.unreachable": 502,
  "llm.model_missing": 502,
  "llm.queue_full": 503,
  "llm.host_busy": 503,
  "llm.cut": 502,
  "llm.timeout": 504,
  "llm.stopped": 409,
  "llm.interrupted": 503,
  "llm.bad_reply": 502,
};

/** How a program says the password of a share (RFC 7617). */
const CHALLENGE = 'Basic realm="WisBot share", charset="UTF-8"';

/** When to come back to what is only busy, seconds. */
const SOON = 5;

const retryAfter = (error: WisError): number => (error instanceof RateLimited ? error.retryAfter : SOON);

const NOT_FOUND = new WisError("not_found", {
  say: "There is nothing at this address.",
  hint: "Check the link: it has to be copied whole.",
});

export interface Problems {
  /** Renders whatever was thrown, and records it when it is our failure and not the client's. */
  failed(error: unknown, c: Context<WebEnv>): Promise<Response>;
  notFound(c: Context<WebEnv>): Promise<Response>;
  methodNotAllowed(c: Context<WebEnv>, methods: string[]): Promise<Response>;
}

/** The one place where an error becomes an answer: a page for browsers, problem+json (RFC 9457) for others. */
export function createProblems({ telemetry, version }: { telemetry: Telemetry; version: string }): Problems {
  async function render(c: Context<WebEnv>, error: WisError, status: ContentfulStatusCode, errorId: string) {
    const title = STATUS_CODES[status] ?? "Error";
    if (wantsPage(c)) {
      const { say, hint } = error;
      return page(c, ErrorPage({ assets: assetUrls, version, status, title, say, hint, errorId }), status);
    }
    const problem = {
      type: `urn:wisbot:problem:${error.code}`,
      title,
      status,
      detail: error.say,
      hint: error.hint,
      error_id: errorId,
    };
    return json(c, problem, status, "application/problem+json");
  }

  return {
    failed(thrown, c) {
      const error = toWisError(thrown);
      const status = statusOf[error.code];
      if (error.code === "rate_limited") c.header("Retry-After", String(retryAfter(error)));
      if (isWisError(error, "password.needed", "password.wrong")) c.header("WWW-Authenticate", CHALLENGE);
      const errorId = status >= 500 ? telemetry.record(thrown, "answering a request") : telemetry.traceId();
      return render(c, error, status, errorId);
    },
    notFound: (c) => render(c, NOT_FOUND, 404, telemetry.traceId()),
    methodNotAllowed(c, methods) {
      c.header("Allow", methods.join(", "));
      const error = new WisError("bad_request", {
        say: `This address can't be used with ${c.req.method}.`,
        hint: `Use ${methods.join(" or ")}.`,
      });
      return render(c, error, 405, telemetry.traceId());
    },
  };
}
