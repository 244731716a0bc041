import type { Context } from "hono";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { ContentfulStatusCode } from "hono/utils/http-status";

const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  // Pages show private links and states that change.
  "cache-control": "no-store",
};

/** Browsers ask for pages by name; scripts and curl take anything. */
export const wantsPage = (c: Context): boolean => c.req.header("accept")?.includes("text/html") ?? false;

/** Answers with a page. The length is set by hand: hono would say 0 on HEAD. */
export async function page(
  c: Context,
  node: JSX.Element | Promise<JSX.Element>,
  status: ContentfulStatusCode = 200,
): Promise<Response> {
  const html = `<!DOCTYPE html>${(await node).toString()}`;
  return text(c, html, PAGE_HEADERS, status);
}

/** Answers with text and its exact length, HEAD included. */
export function text(
  c: Context,
  content: string,
  headers: Record<string, string>,
  status: ContentfulStatusCode = 200,
): Response {
  return c.body(content, status, { ...headers, "content-length": String(Buffer.byteLength(content)) });
}

/** Answers with JSON for machines, indented for the people who read it in a terminal. */
export function json(
  c: Context,
  value: unknown,
  status: ContentfulStatusCode = 200,
  type = "application/json",
) {
  const headers = { "content-type": type, "cache-control": "no-store" };
  return text(c, `${JSON.stringify(value, null, 2)}\n`, headers, status);
}
