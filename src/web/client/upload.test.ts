import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { chromiumArgs, chromiumPath } from "../../testing/chromium.ts";
import { openTusDesk } from "../../testing/tus-desk.ts";
import { button, done, file, network, openPage, THREE, upload } from "../../testing/upload-page.ts";

// A browser on a busy machine; a test that times out also costs the browser that the others share.
setDefaultTimeout(30_000);

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumArgs });
});
afterAll(() => browser?.close());

describe("the upload page", () => {
  test("sends many files as they are, under one link that can be copied and opened", async () => {
    await using desk = await openTusDesk();
    await using page = await openPage(browser, desk.page, {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const line = await network(page);
    await line(3_000_000);
    await page.setInputFiles("#file", THREE);
    await button(page, "Upload 3 files (6 MB)").click();
    await page.getByText(/MB\/s · \d+ s left/).waitFor();
    await line(-1);
    await button(page, "Copy link").click();
    await button(page, "Copied").waitFor();
    const link = await page.getByLabel("Link to share").inputValue();
    expect(link).toMatch(/\/f\/[\w-]{22}$/);
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(link);
    expect(await page.getByRole("link", { name: "Show the page" }).getAttribute("href")).toBe(link);
    expect(desk.settings).toEqual([{ files: 3 }]);
    const arrived = await desk.arrived();
    for (const { name, buffer } of THREE) expect(arrived.get(name)?.equals(buffer)).toBe(true);
  });

  test("says what the sender wishes", async () => {
    await using desk = await openTusDesk();
    await using page = await openPage(browser, desk.page);
    await page.getByText("Options").click();
    await page.getByLabel("Title").fill(" Summer ");
    await page.getByLabel("Note").fill("All of it.");
    await page.getByLabel("Expires after").selectOption("3 days");
    await page.getByLabel("Maximum downloads").fill("5");
    await page.getByLabel("Password").fill("open sesame");
    await page.setInputFiles("#file", THREE.slice(0, 1));
    await upload(page);
    await done(page);
    const wishes = {
      title: "Summer",
      note: "All of it.",
      expires: "3d",
      max_downloads: 5,
      password: "open sesame",
    };
    expect(desk.settings).toEqual([{ files: 1, ...wishes }]);
  });

  test("takes a folder with all that it holds, in its places", async () => {
    await using desk = await openTusDesk();
    await using page = await openPage(browser, desk.page);
    const folder = await mkdtemp(join(tmpdir(), "wisbot-folder-"));
    try {
      await mkdir(join(folder, "photos/beach"), { recursive: true });
      await writeFile(join(folder, "photos/a.txt"), "a");
      await writeFile(join(folder, "photos/beach/a.txt"), "b");
      await page.getByLabel("Choose a folder").setInputFiles(join(folder, "photos"));
      await upload(page);
      await done(page);
    } finally {
      await rm(folder, { recursive: true });
    }
    const arrived = [...(await desk.arrived())].map(([path, bytes]) => [path, bytes.toString()]);
    expect(Object.fromEntries(arrived)).toEqual({ "photos/a.txt": "a", "photos/beach/a.txt": "b" });
  });

  test.each(["drop", "paste"])("takes a file by %s", async (event) => {
    await using desk = await openTusDesk();
    await using page = await openPage(browser, desk.page);
    await page.evaluate((type) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(["brought"], "brought.txt", { type: "text/plain" }));
      const init = { bubbles: true, cancelable: true };
      document.body.dispatchEvent(
        type === "paste"
          ? new ClipboardEvent("paste", { ...init, clipboardData: transfer })
          : new DragEvent("drop", { ...init, dataTransfer: transfer }),
      );
    }, event);
    await button(page, "Upload 1 file (7 B)").click();
    await page.getByText("brought.txt is ready to be shared.").first().waitFor();
    expect((await desk.arrived()).get("brought.txt")?.toString()).toBe("brought");
  });

  test("refuses what does not fit without announcing it, and takes the rest", async () => {
    await using desk = await openTusDesk({ maxBytes: 1_000_000 });
    await using page = await openPage(browser, desk.page);
    await page.setInputFiles("#file", [
      file("big.mp4", 1_000_001),
      file("fits.mp4", 600_000),
      file("not.mp4", 600_001),
    ]);
    const said = page.getByRole("alert");
    await said.getByText("big.mp4 is 1 MB; a file may be 1 MB at most.").waitFor();
    await said.getByText("not.mp4 is 600 kB; only 400 kB are left.").waitFor();
    expect(desk.settings).toEqual([]);
    await button(page, "Upload 1 file").click();
    await done(page);
    expect([...(await desk.arrived()).keys()]).toEqual(["fits.mp4"]);
  });
});

describe("a file that the server refuses", () => {
  const refusal = {
    method: "POST",
    name: "two.mp4",
    status: 413,
    detail: "two.mp4 is too much.",
    hint: "Send less.",
  };

  test("is told in the server's words, and the others are shared without it", async () => {
    await using desk = await openTusDesk();
    await using page = await openPage(browser, desk.page);
    desk.refuse(refusal);
    await page.setInputFiles("#file", THREE);
    await upload(page);
    const said = page.getByRole("alert");
    await said.getByText("two.mp4 is too much.").waitFor();
    await said.getByText("Send less.").waitFor();
    await said.getByText(/Error id e{32}/).waitFor();
    await button(page, "Leave it out").click();
    await page.getByText("2 files are ready to be shared.").first().waitFor();
    expect([...(await desk.arrived()).keys()].sort()).toEqual(["one.mp4", "three.mp4"]);
  });

  test("can be tried again", async () => {
    await using desk = await openTusDesk();
    await using page = await openPage(browser, desk.page);
    desk.refuse(refusal);
    await page.setInputFiles("#file", THREE);
    await upload(page);
    await page.getByRole("alert").waitFor();
    desk.refuse();
    await button(page, "Try two.mp4 again").click();
    await done(page);
    expect((await desk.arrived()).size).toBe(3);
  });
});

describe("for everybody", () => {
  test("works with the keyboard alone and tells screen readers how it goes", async () => {
    await using desk = await openTusDesk();
    await using page = await openPage(browser, desk.page);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("file");
    await page.setInputFiles("#file", file("typed.txt", 10));
    const live = page.locator("[aria-live=polite]");
    await live.getByText("1 file chosen.").waitFor({ state: "attached" });
    await page.locator("#start").focus();
    await page.keyboard.press("Enter");
    await live.getByText("typed.txt is ready to be shared.").waitFor({ state: "attached" });
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("copy");
  });

  test("offers the camera on a phone and fits it", async () => {
    await using desk = await openTusDesk();
    const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
    await using page = await openPage(browser, desk.page, phone);
    await page.getByText("Take a photo").waitFor();
    expect(await page.getByLabel("Record a video").getAttribute("capture")).toBe("environment");
    await page.setInputFiles("#file", file(`${"long-".repeat(30)}.mp4`, 10));
    await page.getByText("Options").click();
    await button(page, /Upload 1 file/).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  });

  test("sends a plain form without JavaScript, the wishes before the files", async () => {
    await using desk = await openTusDesk();
    await using page = await openPage(browser, desk.page, { javaScriptEnabled: false });
    await page.getByText("Options").click();
    await page.getByLabel("Title").fill("Plain");
    await page.getByLabel("Files", { exact: true }).setInputFiles([file("a.txt", 1), file("b.txt", 2)]);
    await button(page, "Upload").click();
    await page.getByRole("heading", { name: "Uploaded" }).waitFor();
    await page.getByRole("link", { name: /Plain/ }).click();
    await page.getByRole("heading", { name: "Plain" }).waitFor();
    expect([...(await desk.arrived()).keys()]).toEqual(["a.txt", "b.txt"]);
  });
});
