import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { upload } from "../upload-page.ts";
import { chat, type OpenDemo, openDemo, type } from "./demo-page.ts";

// One demo for all of them, as a newcomer uses it: a page a test.

let demo: OpenDemo;
const openPage = (place?: string) => demo.openPage(place);

beforeAll(async () => {
  demo = await openDemo();
}, 30_000);

afterAll(() => demo[Symbol.asyncDispose](), 30_000);

/** Follows the upload link in the chat and sends a file there. */
async function uploadInBrowser(page: Page, name: string, text: string): Promise<void> {
  const opened = page.waitForEvent("popup");
  await chat(page).getByRole("link", { name: "Upload a file" }).click();
  const uploadPage = await opened;
  // Its script takes over what the form without one shows.
  await uploadPage.waitForLoadState();
  await uploadPage.setInputFiles('input[type="file"]', {
    name,
    mimeType: "text/plain",
    buffer: Buffer.from(text),
  });
  await upload(uploadPage);
}

test("help is shown to its asker alone", async () => {
  await using page = await openPage("?as=ada");
  await page.getByLabel("Message").pressSequentially("/wis he");
  await page.getByRole("option", { name: "/wis help" }).waitFor();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  const reply = chat(page).getByRole("article").filter({ hasText: "share files: 250 MB each" });
  await reply.getByText("Only you can see this").waitFor();
  await using other = await openPage("?as=ben");
  await other.getByText("Where WisBot may post.").waitFor();
  expect(await chat(other).getByText("share files").count()).toBe(0);
}, 20_000);

test("an upload link leads to the browser page, and the finished card appears in the chat", async () => {
  await using page = await openPage("?as=ada");
  await type(page, "/wis upload");
  await uploadInBrowser(page, "holiday.txt", "sun and sea");
  const card = chat(page).getByRole("article").filter({ hasText: "holiday.txt" });
  await card.getByText("11 B").waitFor();
  await card.getByText("in 7 days").waitFor();
  expect(
    await (
      await fetch(`${await card.getByRole("link", { name: "Open" }).getAttribute("href")}/download`)
    ).text(),
  ).toBe("sun and sea");

  await using other = await openPage("?as=ben");
  await chat(other)
    .getByRole("article")
    .filter({ hasText: "holiday.txt" })
    .getByRole("button", { name: "Delete" })
    .click();
  await chat(other).getByText("Only the owner of this file and moderators").first().waitFor();
  await card.getByRole("button", { name: "Delete" }).click();
  await chat(page).getByText("This file was deleted.").waitFor();
}, 30_000);

test("a file attached in the chat is kept and shared", async () => {
  await using page = await openPage("?as=ben");
  await page.getByLabel("Message").fill("/wis upload");
  await page.setInputFiles('input[name="file"]', {
    name: "notes.md",
    mimeType: "text/markdown",
    buffer: Buffer.from("# Notes"),
  });
  await page.getByRole("button", { name: "Send" }).click();
  const card = chat(page).getByRole("article").filter({ hasText: "notes.md" });
  await card.getByText("7 B").waitFor();
  await card.getByRole("button", { name: "Extend" }).click();
  await card.getByText("in 7 days").waitFor();
}, 20_000);

test("an answer streams in, its Stop button ends it, and its trace is shown", async () => {
  await using page = await openPage("?as=ada");
  await type(page, "/wis llm Why is the sky blue?");
  const answer = chat(page).getByRole("article").filter({ hasText: "I am a stand-in" }).last();
  await answer.getByText("not a model").waitFor();
  await answer.getByRole("button", { name: "Stop" }).click();
  await answer.getByRole("button", { name: "Stop" }).waitFor({ state: "detached" });
  expect(await answer.textContent()).not.toContain("That was all that I have to say");
  await page.locator("#trace-list").getByText("discord.interaction wis llm").first().waitFor();
}, 30_000);

test("where WisBot may not post, the card comes as a direct message", async () => {
  await using page = await openPage("?as=mia&channel=quiet");
  await type(page, "/wis upload");
  await uploadInBrowser(page, "secret.txt", "x");
  await page.getByRole("link", { name: "WisBot 1 new" }).click();
  await chat(page).getByText("secret.txt").waitFor();
}, 20_000);

test("a line that is no command says what there is", async () => {
  await using page = await openPage();
  await type(page, "/wis dance");
  await page
    .getByRole("alert")
    .getByText(/Try .*\/wis llm.*\/wis upload.*\/wis help/)
    .waitFor();
}, 20_000);

test("one's files are listed with their buttons, and a token comes with its file for ShareX", async () => {
  await using page = await openPage("?as=mia");
  await page.getByLabel("Message").fill("/wis upload");
  const bytes = { name: "list me.txt", mimeType: "text/plain", buffer: Buffer.from("hello") };
  await page.setInputFiles('input[name="file"]', bytes);
  await page.getByRole("button", { name: "Send" }).click();
  await chat(page).getByRole("article").filter({ hasText: "list me.txt" }).getByText("5 B").waitFor();
  await type(page, "/wis files");
  const list = chat(page).getByRole("article").filter({ hasText: "You keep" });
  await list.getByRole("button", { name: "Link 1" }).click();
  await chat(page).getByRole("article").last().getByRole("link", { name: /\/f\// }).waitFor();
  await type(page, "/wis token laptop");
  const card = chat(page).getByRole("article").filter({ hasText: "Your new API token laptop" });
  await card.getByRole("link", { name: "wisbot.sxcu" }).waitFor();
  await chat(page).getByRole("button", { name: "Revoke 1" }).click();
  await chat(page).getByText("worth nothing from now on").waitFor();
}, 30_000);

test("a mention is answered, and a reply goes on with that conversation", async () => {
  await using page = await openPage("?as=ada&channel=lounge");
  await type(page, "@WisBot why is the sky blue?");
  const answer = chat(page).getByRole("article").filter({ hasText: "Your question had 5 words" });
  await answer.getByRole("button", { name: "Stop" }).click();
  await answer.getByRole("button", { name: "Reply" }).click();
  await page.getByText("Replying to WisBot").waitFor();
  await type(page, "and at night?");
  await chat(page).getByRole("article").filter({ hasText: "Your question had 3 words" }).waitFor();
}, 20_000);
