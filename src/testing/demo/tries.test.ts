import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Locator } from "playwright-core";
import { articles, chooseStep, type OpenDemo, openDemo, takeStep, type } from "./demo-page.ts";
import { Tries } from "./tries.tsx";

// The steps that the guide names lead to what it says: in one demo, a page a test.

let demo: OpenDemo;
const openPage = (place?: string) => demo.openPage(place);

beforeAll(async () => {
  demo = await openDemo();
}, 30_000);

afterAll(() => demo[Symbol.asyncDispose](), 30_000);

/** Stops an answer that has begun, and waits until it can be gone on with. */
async function cutShort(answer: Locator): Promise<void> {
  await answer.getByText("not a model").waitFor();
  await answer.getByRole("button", { name: "Stop" }).click();
  await answer.getByRole("button", { name: "Regenerate" }).waitFor();
}

test("two people and two servers: the model is given one's own words alone", async () => {
  const title = "no word crosses over";
  await using page = await openPage("?as=ada");
  const numbered = (told: number) => articles(page, `My number is ${told}.`).last();
  const rememberedIn = async (step: number, told: number) => {
    await chooseStep(page, title, step);
    await numbered(told).getByRole("button", { name: "Reply" }).click();
    await page.getByRole("button", { name: "Send" }).click();
    const answer = articles(page, "Before this question I was given these");
    await answer.getByRole("button", { name: "👍" }).waitFor();
    return (await answer.textContent())?.match(/My number is \d+/g);
  };
  for (const [step, told] of [1815, 1912, 1864].entries()) {
    await takeStep(page, title, step);
    await cutShort(numbered(told));
  }
  expect(await rememberedIn(3, 1815)).toEqual(["My number is 1815"]);
  expect(await rememberedIn(4, 1864)).toEqual(["My number is 1864"]);
}, 40_000);

test("who waits sees the place move, and a server that dies leaves its queue to the other one", async () => {
  await using page = await openPage();
  const hosts = page.locator("#hosts");
  await hosts.getByText("Running, idle.").nth(1).waitFor({ timeout: 20_000 });
  for (const name of ["ada", "ben", "cyd", "mia"]) {
    await page.goto(`/?as=${name}&channel=lounge`);
    await type(page, `/wis llm A long story for ${name}.`);
    await articles(page).getByText(`A long story for ${name}.`).waitFor();
  }
  const answerTo = (name: string) => articles(page).filter({ hasText: `A long story for ${name}.` });
  // Mia is a moderator: she may end anybody's answer.
  const stop = (name: string) => answerTo(name).getByRole("button", { name: "Stop" }).click();
  await answerTo("mia").getByText("Waiting: place 2").waitFor();
  await hosts.getByText("Running, answers 1 question now.").nth(1).waitFor();
  await answerTo("ada").getByText("Night 1.").waitFor();

  await hosts.getByRole("button", { name: "Stop the server first" }).click();
  await hosts.getByText("Stopped: it refuses every connection.").waitFor();
  await answerTo("ada").getByRole("button", { name: "Regenerate" }).waitFor();
  await stop("ben");
  await answerTo("mia").getByText("Waiting: place 1").waitFor();
  await answerTo("cyd").getByText("Night 1.").waitFor();
  await stop("cyd");
  await answerTo("mia").getByText("Night 1.").waitFor();
  await stop("mia");

  await hosts.getByRole("button", { name: "Start the server first" }).click();
  await hosts.getByText("Running, idle.").nth(1).waitFor();
}, 60_000);

test("a picture and a PDF reach the model", async () => {
  await using page = await openPage("?as=ben");
  await takeStep(page, "A picture and a PDF are read", 0);
  await articles(page).getByText("1 picture").waitFor();
  await takeStep(page, "A picture and a PDF are read", 1);
  await articles(page).getByText("The Analytical Engine weaves algebraical patterns").waitFor();
}, 30_000);

test("a table of 60 rows comes whole, as a file", async () => {
  await using page = await openPage("?as=cyd");
  await takeStep(page, "A table of 60 rows", 0);
  const file = articles(page).getByRole("link", { name: "answer.md" });
  const text = await (await fetch((await file.getAttribute("href")) ?? "")).text();
  expect(text).toContain("````md\n# How to show code\n```ts\nconst answer = 42;\n```\n````");
  expect(text.match(/^\| \d+ \|/gm)).toHaveLength(60);
  expect(text).toEndWith("That was the last row.");
}, 20_000);

test("a long talk drops its beginning, and says so", async () => {
  await using page = await openPage("?as=ada&channel=dm");
  for (const step of [0, 1, 2, 3]) {
    await takeStep(page, "A long talk", step);
    await articles(page).getByRole("button", { name: "👍" }).nth(step).waitFor();
  }
  const last = articles(page).last();
  await last.getByText("And again all you know.").waitFor();
  await last.getByText(/\d earlier messages? no longer fits?/).waitFor();
  expect(await last.getByText("Tell me all you know.", { exact: true }).count()).toBe(0);
}, 30_000);

test("thinking stands behind its button", async () => {
  await using page = await openPage("?as=cyd");
  await takeStep(page, "Thinking stands behind", 0);
  await articles(page).getByRole("button", { name: "Show thinking" }).click();
  await articles(page).getByText("Short waves are scattered").waitFor();
}, 20_000);

test("a question is asked about somebody's message from its menu", async () => {
  await using page = await openPage("?as=mia");
  await type(page, "The moon is made of basalt.");
  const said = articles(page, "The moon is made of basalt.");
  await said.getByRole("button", { name: "Ask WisBot about this" }).click();
  await articles(page, "Mia: The moon is made of basalt.").getByText("not a model").waitFor();
}, 20_000);

test("what is known of somebody is given to them, then erased with a receipt", async () => {
  await using page = await openPage("?as=ada");
  await takeStep(page, "Your data", 0);
  await articles(page).getByRole("link", { name: "wisbot-export.json" }).waitFor();
  await takeStep(page, "Your data", 1);
  await articles(page).getByRole("button", { name: "Erase it all" }).click();
  await articles(page).getByRole("link", { name: "receipt.txt" }).waitFor();
}, 20_000);

test("nothing is sent before a step's file is there, and another step calls it off", async () => {
  await using page = await openPage("?as=ben");
  await page.route("**/samples/picture.png", () => {});
  const send = page.getByRole("button", { name: "Send" });
  const title = "A picture and a PDF are read";
  await chooseStep(page, title, 0);
  expect(await send.isDisabled()).toBe(true);
  const calledOff = page.waitForEvent("requestfailed", (request) => request.url().endsWith("picture.png"));
  await chooseStep(page, title, 1);
  await calledOff;
  await page.locator(".pick").getByText("paper.pdf").waitFor();
  expect(await send.isEnabled()).toBe(true);
}, 20_000);

test("a file that the demo does not have is named, and nothing is attached in its place", async () => {
  await using page = await openPage("?as=ben&line=hello&file=nosuch.pdf");
  await page.getByRole("alert").getByText("The demo has no file nosuch.pdf.").waitFor();
  await page.locator(".pick").getByText("Attach a file").waitFor();
  expect(await page.getByRole("button", { name: "Send" }).isEnabled()).toBe(true);
}, 20_000);

test("where a real model answers, the guide leaves out what only the stand-ins do", () => {
  const guide = String(Tries({ standIns: false }));
  expect(guide).toContain("no word crosses over");
  expect(guide).not.toMatch(/Each server answers|Stop the server|2,048 tokens|60 rows|Show thinking/);
});
