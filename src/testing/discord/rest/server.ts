import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Now } from "../../../lib/clock.ts";
import { DiscordError, refused } from "../error.ts";
import type { Limits } from "../limits.ts";
import type { RequestRecord } from "../records.ts";
import type { Validation } from "../validation.ts";
import { readBody } from "./request.ts";
import { type Answer, type Route, routeKey } from "./route.ts";

/** How a route misbehaves. */
export type Failure =
  | { kind: "status"; status: number; code?: number; message?: string }
  /** Does what it was asked and loses the answer. */
  | { kind: "lost" }
  /** Never answers. */
  | { kind: "hang" };

export interface RestDeps {
  now: Now;
  limits: Limits;
  validation: Validation;
  token(): string;
  /** True: nothing answers but 503, as in an outage. */
  down(): boolean;
  /** The failure that the next request on a route meets. */
  takeFailure(route: string): Failure | undefined;
  record(record: RequestRecord): void;
  violation(text: string): void;
  stopped: AbortSignal;
}

/** The REST API below /api/v10. */
export function createRest(routes: Route[], deps: RestDeps): Hono {
  const app = new Hono().basePath("/api/v10");
  for (const route of routes) {
    const path = route.path.replace(/\{(\w+)\}/g, ":$1");
    // discord.js writes `@original` as `%40original`.
    for (const spelling of new Set([path, path.replaceAll("@", "%40")])) {
      app.on(route.method, spelling, (context) => handle(route, context, deps));
    }
  }
  app.all("*", (context) => {
    const { method, path } = context.req;
    deps.violation(`${method} ${path}: no such route`);
    return respond({ status: 404, body: refused.noRoute().body() }, {});
  });
  app.onError((error) => {
    deps.violation(`the stand-in itself failed: ${error.stack}`);
    return respond({ status: 500, body: { message: "500: Internal Server Error", code: 0 } }, {});
  });
  return app;
}

async function handle(route: Route, context: Context, deps: RestDeps): Promise<Response> {
  const arrivedAt = performance.now();
  const at = deps.now();
  const key = routeKey(route);
  const url = new URL(context.req.url);
  const failure = deps.takeFailure(key);
  if (failure?.kind === "hang") return hang(deps.stopped);
  const { body, files } = await readBody(context.req.raw);
  const params: Record<string, string> = context.req.param();
  const { channel_id, guild_id, webhook_token } = params;
  const verdict = deps.limits.take(key, webhook_token ?? channel_id ?? guild_id ?? "");

  const answered = async (): Promise<Answer> => {
    if (deps.down()) return { status: 503, body: { message: "upstream connect error", code: 0 } };
    if (failure?.kind === "status") return failed(failure);
    if (verdict.refused) return limited(verdict.refused);
    try {
      if (!route.open && context.req.header("authorization") !== `Bot ${deps.token()}`)
        throw refused.unauthorized();
      deps.validation.request(route, body);
      return await route.run({ params, query: url.searchParams, body, files, arrivedAt });
    } catch (error) {
      if (error instanceof DiscordError) return { status: error.status, body: error.body() };
      throw error;
    }
  };
  const answer = await answered();
  deps.validation.response(route, answer);
  deps.record({
    route: key,
    method: route.method,
    path: url.pathname.replace("/api/v10", ""),
    query: Object.fromEntries(url.searchParams),
    body,
    files: files.map(({ name }) => name),
    at,
    ms: performance.now() - arrivedAt,
    status: answer.status,
    answer: answer.body,
  });
  if (failure?.kind === "lost") return hang(deps.stopped);
  return respond(answer, verdict.headers);
}

function failed({
  status,
  code = 0,
  message = `${status}: stand-in failure`,
}: Failure & { kind: "status" }): Answer {
  return { status, body: { message, code } };
}

function limited({ retryAfter, global }: { retryAfter: number; global: boolean }): Answer {
  const body = { message: "You are being rate limited.", code: 0, retry_after: retryAfter / 1000, global };
  return { status: 429, body };
}

function respond({ status, body }: Answer, headers: Record<string, string>): Response {
  if (body === undefined) return new Response(null, { status, headers });
  return Response.json(body, { status: status as ContentfulStatusCode, headers });
}

function hang(stopped: AbortSignal): Promise<Response> {
  return new Promise((resolve) => {
    stopped.addEventListener("abort", () => resolve(new Response(null, { status: 503 })), { once: true });
  });
}
