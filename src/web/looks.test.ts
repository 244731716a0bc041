import { expect, test } from "bun:test";
import { openTestWeb, type TestWeb } from "../testing/open-test-web.ts";
import { createLooks } from "./looks.ts";

const HOUR = 3_600_000;
const BROWSER = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" };
const OTHER = { "user-agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15" };

async function looksAt(web: TestWeb) {
  const audit = await web.files.audit({ ownerId: "1", limit: 1_000 });
  return audit.filter(({ action }) => action === "viewed").length;
}

async function shareOf(web: TestWeb, settings: object, names: string[]): Promise<string> {
  const link = await web.link("1");
  await fetch(`${link}/settings`, { method: "POST", body: JSON.stringify(settings) });
  let url = "";
  for (const name of names) {
    url = (await fetch(`${link}/${name}`, { method: "PUT", body: "x" })).headers.get("location") ?? url;
  }
  return url;
}

test("who looks a hundred times is in the audit once, and again when they come back another day", async () => {
  let now = Date.now();
  await using web = await openTestWeb({ now: () => now });
  const url = await shareOf(web, {}, ["a.txt"]);
  const look = async (headers: Record<string, string>) => await (await fetch(url, { headers })).text();
  for (let i = 0; i < 100; i += 1) await look(BROWSER);
  expect(await looksAt(web)).toBe(1);
  await look(OTHER);
  expect(await looksAt(web)).toBe(2);
  now += 12 * HOUR;
  await look(BROWSER);
  expect(await looksAt(web)).toBe(3);
});

test("who only asks whether a share is there has not looked at it", async () => {
  await using web = await openTestWeb();
  const url = await shareOf(web, {}, ["a.txt"]);
  expect((await fetch(url, { method: "HEAD", headers: BROWSER })).status).toBe(200);
  expect(await looksAt(web)).toBe(0);
});

test("a bundle and its files are one share to look at", async () => {
  await using web = await openTestWeb();
  const url = await shareOf(web, { files: 2 }, ["a.txt", "b.txt"]);
  const members = await web.files.members(await web.files.get(url.split("/").at(-1) ?? ""));
  for (const address of [url, ...members.map((member) => member.url)]) {
    await (await fetch(address, { headers: BROWSER })).text();
  }
  expect(await looksAt(web)).toBe(1);
});

test("however many people look, only so many are remembered: the ones that came last", () => {
  const looks = createLooks({ now: () => 1 });
  expect(looks.isFirst("share", "first")).toBe(true);
  for (let at = 0; at < 9_999; at += 1) looks.isFirst("share", `person ${at}`);
  expect(looks.isFirst("share", "first")).toBe(false);
  looks.isFirst("share", "one too many");
  expect(looks.isFirst("share", "first")).toBe(true);
  expect(looks.isFirst("share", "person 9998")).toBe(false);
});
