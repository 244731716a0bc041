import { expect, test } from "bun:test";
import { configSchema } from "../config/schema.ts";
import { webChecks } from "./checks.ts";
import { instanceOf } from "./instance.ts";

const DATA_DIR = "/srv/wisbot";

interface Asked {
  port?: number;
  host?: string;
  publicUrl?: string;
  discordToken?: string;
}

function ask(
  code: string,
  { port = 8080, host = "127.0.0.1", publicUrl = "https://wis.test", discordToken }: Asked,
) {
  const config = configSchema.parse({ web: { port, host } });
  const checks = webChecks({ config, dataDir: DATA_DIR, publicUrl, discordToken });
  const check = checks.find((one) => one.code === code);
  if (!check) throw new Error(`no check ${code}`);
  return check.run(AbortSignal.timeout(4000));
}

function holdPort(answer: () => Response) {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
  return { port: server.port ?? 0, [Symbol.asyncDispose]: () => server.stop(true) };
}

test("a free port is fine", async () => {
  const { port } = await (async () => {
    await using held = holdPort(() => new Response());
    return held;
  })();
  expect(await ask("web.port", { port })).toMatchObject({ severity: "ok" });
});

test("a port that this wisbot holds is fine", async () => {
  await using held = holdPort(() =>
    Response.json({ name: "wisbot", version: "1.2.3", instance: instanceOf(DATA_DIR) }),
  );
  const found = await ask("web.port", held);
  expect(found).toMatchObject({ severity: "ok" });
  expect(found.detail).toContain("1.2.3");
});

test("a port that another wisbot holds fails with what to do", async () => {
  await using held = holdPort(() =>
    Response.json({ name: "wisbot", version: "1.2.3", instance: instanceOf("/srv/other") }),
  );
  const found = await ask("web.port", held);
  expect(found.severity).toBe("fail");
  expect(found.detail).toContain("another WisBot");
  expect(found.fix).toContain("web.port");
});

test("a port that another program holds fails, whatever that answers", async () => {
  for (const answer of [
    new Response("hello"),
    Response.json({ name: "nginx" }),
    new Response("", { status: 500 }),
  ]) {
    await using held = holdPort(() => answer);
    const found = await ask("web.port", held);
    expect(found).toMatchObject({ severity: "fail", detail: expect.stringContaining("another program") });
  }
});

test("a port whose holder stays silent fails instead of hanging", async () => {
  using silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  expect(await ask("web.port", { port: silent.port })).toMatchObject({ severity: "fail" });
});

test("an address of another machine fails with what web.host may be", async () => {
  const found = await ask("web.port", { host: "192.0.2.1" });
  expect(found).toMatchObject({ severity: "fail", fix: expect.stringContaining("web.host") });
});

test.each([
  ["http://localhost:8080", "token", "warn"],
  ["http://127.0.0.1:8080", "token", "warn"],
  ["http://[::1]:8080", "token", "warn"],
  ["http://localhost:8080", undefined, "ok"],
  ["http://wis.test", "token", "warn"],
  ["https://wis.test", "token", "ok"],
])("a public address of %s with token %p is %s", async (publicUrl, discordToken, severity) => {
  const found = await ask("web.public_url", { publicUrl, ...(discordToken && { discordToken }) });
  expect(found).toMatchObject({ severity });
  expect(found.fix === undefined).toBe(severity === "ok");
});
