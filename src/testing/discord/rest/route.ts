import type { z } from "zod";
import type { UploadedFile } from "../cdn.ts";
import { parseForm } from "../forms/parse.ts";

/** A request as its handler sees it. */
export interface Call<Body = unknown> {
  params: Record<string, string>;
  query: URLSearchParams;
  body: Body;
  files: UploadedFile[];
  /** When it arrived, on the monotonic clock. */
  arrivedAt: number;
}

export interface Answer {
  status: number;
  body?: unknown;
}

export interface Route {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** As Discord's OpenAPI description writes it: `/channels/{channel_id}`. */
  path: string;
  /** Needs no bot token: the interaction's own token stands in the path. */
  open: boolean;
  run(call: Call): Answer | Promise<Answer>;
}

export const ok = (body: unknown, status = 200): Answer => ({ status, body });
export const noContent: Answer = { status: 204 };

/** `METHOD /path/{template}`: what records, limits and failures are keyed by. */
export const routeKey = ({ method, path }: Pick<Route, "method" | "path">) => `${method} ${path}`;

type Handler<Body> = (call: Call<Body>) => Answer | Promise<Answer>;

/** `GET /users/@me` and what answers it. */
export function route(key: string, run: Handler<undefined>, options: { open?: boolean } = {}): Route {
  return { ...split(key), open: options.open ?? false, run: (call) => run({ ...call, body: undefined }) };
}

/** A route whose body is checked against a form before it is answered. */
export function routeWith<Body>(
  key: string,
  form: z.ZodType<Body>,
  run: Handler<Body>,
  options: { open?: boolean } = {},
): Route {
  return {
    ...split(key),
    open: options.open ?? false,
    run: (call) => run({ ...call, body: parseForm(form, call.body) }),
  };
}

function split(key: string): Pick<Route, "method" | "path"> {
  const [method, path] = key.split(" ");
  if (!isMethod(method) || !path) throw new Error(`Not a route: ${key}`);
  return { method, path };
}

function isMethod(text: string | undefined): text is Route["method"] {
  return text !== undefined && ["GET", "POST", "PUT", "PATCH", "DELETE"].includes(text);
}
