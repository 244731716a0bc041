import { expect, test } from "bun:test";
import { Hono } from "hono";
import type { WebEnv } from "./env.ts";
import { safeFields, safeHeaders } from "./headers.ts";

const deps = { publicUrl: "https://files.example" };
const fields = safeFields(deps);

async function headersOf(answer: () => Response): Promise<Record<string, string>> {
  const app = new Hono<WebEnv>().use(safeHeaders(deps)).get("/", answer);
  return Object.fromEntries((await app.request("/")).headers);
}

test("whatever a route answers, the safe headers are all there", async () => {
  expect(await headersOf(() => new Response(null))).toEqual(fields);
  expect(await headersOf(() => new Response(null, { headers: fields }))).toEqual(fields);
  // Some of them, set by the route, are no sign that it has set the others.
  for (const [name, value] of Object.entries(fields)) {
    if (name === "origin-agent-cluster") continue;
    expect(await headersOf(() => new Response(null, { headers: { [name]: value } }))).toEqual(fields);
  }
});

test("what a route says itself stays", async () => {
  const own = { "content-security-policy": "sandbox" };
  expect(await headersOf(() => new Response(null, { headers: own }))).toEqual({ ...fields, ...own });
  expect(await headersOf(() => new Response(null, { headers: { ...fields, ...own } }))).toEqual({
    ...fields,
    ...own,
  });
});

test("an error is safe too", async () => {
  const app = new Hono<WebEnv>()
    .use(safeHeaders(deps))
    .onError(() => new Response("failed", { status: 500 }))
    .get("/", () => {
      throw new Error("failed");
    });
  expect((await app.request("/")).headers.get("origin-agent-cluster")).toBe("?1");
});
