import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { chromiumArgs, chromiumPath } from "../../testing/chromium.ts";
import { openTusDesk } from "../../testing/tus-desk.ts";
import { button, done, file, network, openPage, sent, THREE, upload } from "../../testing/upload-page.ts";

// A browser on a busy machine; a test that times out also costs the browser that the others share.
setDefaultTimeout(30_000);

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumArgs });
});
afterAll(() => browser?.close());

describe("a transfer that is disturbed", () => {
  test("goes on by itself after the network was away", async () => {
    await using desk = await openTusDesk();
    await using page = await openPage(browser, desk.page);
    const line = await network(page);
    await line(2_000_000);
    await page.setInputFiles("#file", THREE);
    await upload(page);
    await sent(page, 0.2);
    await line("offline");
    desk.cut();
    await page.getByText("The connection is away.").first().waitFor();
    await line(-1);
    await done(page);
    expect(desk.requests).toContain("HEAD");
    const arrived = await desk.arrived();
    for (const { name, buffer } of THREE) expect(arrived.get(name)?.equals(buffer)).toBe(true);
  });

  test("goes on after the page was loaded again, from where it stood", async () => {
    await using desk = await openTusDesk();
    await using page = await openPage(browser, desk.page);
    page.on("dialog", (dialog) => dialog.accept());
    const line = await network(page);
    await line(2_000_000);
    await page.setInputFiles("#file", THREE);
    await upload(page);
    await sent(page, 0.3);
    await page.reload();
    await line(-1);
    await done(page);
    expect(desk.settings).toEqual([{ files: 3 }]);
    expect(desk.requests.filter((method) => method === "POST")).toHaveLength(3);
    const arrived = await desk.arrived();
    for (const { name, buffer } of THREE) expect(arrived.get(name)?.equals(buffer)).toBe(true);
  });

  test("of a single file goes on after the page was loaded again", async () => {
    await using desk = await openTusDesk();
    await using page = await openPage(browser, desk.page);
    page.on("dialog", (dialog) => dialog.accept());
    const line = await network(page);
    await line(1_000_000);
    await page.setInputFiles("#file", file("alone.mp4", 2_000_000));
    await upload(page);
    await sent(page, 0.3);
    await page.reload();
    await line(-1);
    await done(page);
    expect(desk.requests.filter((method) => method === "POST")).toHaveLength(1);
    expect((await desk.arrived()).get("alone.mp4")?.length).toBe(2_000_000);
  });

  test("goes on with the same files chosen again where the browser kept none of them", async () => {
    await using desk = await openTusDesk();
    await using page = await openPage(browser, desk.page);
    page.on("dialog", (dialog) => dialog.accept());
    const line = await network(page);
    await line(1_000_000);
    const folder = await mkdtemp(join(tmpdir(), "wisbot-files-"));
    try {
      const paths = THREE.map(({ name }) => join(folder, name));
      for (const [index, path] of paths.entries()) await writeFile(path, THREE[index]?.buffer ?? "");
      await page.setInputFiles("#file", paths);
      await upload(page);
      await sent(page, 0.3);
      await page.goto(`${new URL(desk.page).origin}/nothing`);
      await page.evaluate(forgetFiles);
      await page.goto(desk.page);
      await page.getByText("Choose it again to go on").first().waitFor();
      await line(-1);
      await page.setInputFiles("#file", paths);
      await done(page);
    } finally {
      await rm(folder, { recursive: true });
    }
    expect(desk.requests.filter((method) => method === "POST")).toHaveLength(3);
    expect((await desk.arrived()).get("one.mp4")?.equals(THREE[0]?.buffer ?? Buffer.of())).toBe(true);
  });

  test("does not begin anew because a proxy answers for a server that is away", async () => {
    await using desk = await openTusDesk();
    await using page = await openPage(browser, desk.page);
    const line = await network(page);
    await line(1_000_000);
    await page.setInputFiles("#file", file("one.mp4", 3_000_000));
    await upload(page);
    await sent(page, 0.3);
    desk.refuse({ method: "HEAD", status: 502, detail: "", hint: "" });
    desk.cut();
    await page.getByText("The connection is away.").first().waitFor();
    desk.refuse();
    await line(-1);
    await done(page);
    expect(desk.requests.filter((method) => method === "POST")).toHaveLength(1);
  });

  test("can be paused and resumed, one file and all of them", async () => {
    await using desk = await openTusDesk();
    await using page = await openPage(browser, desk.page);
    const line = await network(page);
    await line(500_000);
    await page.setInputFiles("#file", THREE);
    await upload(page);
    await sent(page, 0.05);
    await button(page, "Pause one.mp4").click();
    await button(page, "Resume one.mp4").waitFor();
    await button(page, /^Pause$/).click();
    await button(page, /^Resume$/).click();
    await button(page, "Pause two.mp4").waitFor();
    await line(-1);
    await done(page);
    expect((await desk.arrived()).size).toBe(3);
  });

  test("can be cancelled, and the link takes other files", async () => {
    await using desk = await openTusDesk();
    await using page = await openPage(browser, desk.page);
    const line = await network(page);
    await line(500_000);
    await page.setInputFiles("#file", THREE);
    await upload(page);
    await sent(page, 0.05);
    await button(page, "Cancel").click();
    await page.locator("#file:focus").waitFor();
    await line(-1);
    await page.setInputFiles("#file", file("other.mp4", 1000));
    await upload(page);
    await done(page);
    expect([...(await desk.arrived()).keys()]).toEqual(["other.mp4"]);
  });

  test("asks before the page is left while something is being sent", async () => {
    await using desk = await openTusDesk();
    await using page = await openPage(browser, desk.page);
    const line = await network(page);
    await line(500_000);
    await page.setInputFiles("#file", THREE);
    await upload(page);
    await sent(page, 0.05);
    // What a browser asks the page before it leaves; the box itself is the browser's.
    const mayLeave = () => dispatchEvent(new Event("beforeunload", { cancelable: true }));
    expect(await page.evaluate(mayLeave)).toBe(false);
    await line(-1);
    await done(page);
    expect(await page.evaluate(mayLeave)).toBe(true);
  });
});

/** Runs in the page: empties what the browser keeps of files, not what it keeps of their places. */
function forgetFiles(): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase("uppy-blobs");
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}
