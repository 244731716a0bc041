import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { $ } from "bun";
import { type Browser, chromium } from "playwright-core";
import { chromiumArgs, chromiumPath } from "./chromium.ts";
import { openTestApp, type TestApp } from "./open-test-app.ts";
import { pdfOf, streamOf } from "./pdf.ts";
import { button, done, network, openPage, sent, upload } from "./upload-page.ts";

// What people do, from end to end: a real browser, a real `wisbot serve`, a network that goes away and a process that
// is killed. SCREENSHOTS=folder keeps what the browser showed.

setDefaultTimeout(90_000);

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumArgs });
});
afterAll(() => browser?.close());

const owner = "222222222222222222";
const looks = {
  desktop: { viewport: { width: 1280, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: "dark" as const },
};

async function look(url: string, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  for (const [kind, options] of Object.entries(looks)) {
    await using page = await openPage(browser, url, options);
    await page.waitForLoadState("networkidle");
    await page.screenshot({ path: join(folder, `${name}-${kind}.png`), fullPage: true });
  }
}

/** Files below a folder, by their paths in it. */
async function contents(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const pairs = files.map(async (path) => {
    const hash = createHash("sha256")
      .update(await Bun.file(path).bytes())
      .digest("hex");
    return [path.slice(folder.length + 1), hash] as const;
  });
  return new Map((await Promise.all(pairs)).toSorted());
}

/** A folder of 30 files, in subfolders, of all sizes. */
async function makeFolder(root: string): Promise<void> {
  for (let index = 0; index < 30; index += 1) {
    const path = join(root, `sub ${index % 3}`, `файл-${index}.bin`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, crypto.getRandomValues(new Uint8Array(index === 7 ? 0 : 10_000 + index * 1_900)));
  }
}

test("a folder of 30 files goes up while the network is cut twice and wisbot is killed once, and comes down whole", async () => {
  await using app = await openTestApp();
  const folder = await mkdtemp(join(tmpdir(), "wisbot-journey-"));
  try {
    const photos = join(folder, "photos");
    await makeFolder(photos);
    const first = await app.start("--no-discord");
    const link = await app.link(owner);
    await using page = await openPage(browser, link, looks.desktop);
    const line = await network(page);
    await line(700_000);
    await page.setInputFiles("input[webkitdirectory]", photos);
    await upload(page);
    await sent(page, 0.15);
    await line("offline");
    await page.getByText("The connection is away.").first().waitFor();
    await line(700_000);
    await sent(page, 0.35);
    await first.kill("SIGKILL");
    await app.start("--no-discord");
    await sent(page, 0.6);
    await line("offline");
    await page.getByText("The connection is away.").first().waitFor();
    await line(-1);
    await done(page);

    const share = await page.getByLabel("Link to share").inputValue();
    await look(share, "bundle");
    const zip = join(folder, "photos.zip");
    await $`curl -sf -o ${zip} ${share}/download`;
    await $`unzip -q ${zip} -d ${join(folder, "back")}`;
    expect(await contents(join(folder, "back/photos"))).toEqual(await contents(photos));

    // What the page says is used is what is on the disk, to the byte.
    const next = await app.link(owner);
    const { stdout } = await app.run("files", "list", "--owner", owner, "--json");
    const rows: { size: number }[] = JSON.parse(stdout);
    const onDisk = await Promise.all((await blobPaths(app)).map(async (path) => (await stat(path)).size));
    const bytes = onDisk.reduce((sum, size) => sum + size, 0);
    expect(rows.reduce((sum, { size }) => sum + size, 0)).toBe(bytes);
    await using quota = await openPage(browser, next, looks.desktop);
    expect(await quota.locator("meter").getAttribute("value")).toBe(String(bytes));
    await look(next, "upload");

    const verified = await app.run("files", "verify", "--json");
    expect(JSON.parse(verified.stdout)).toEqual({
      rows_without_bytes: [],
      bytes_without_rows: [],
      corrupt: [],
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

async function blobPaths({ folder }: TestApp): Promise<string[]> {
  const entries = await readdir(join(folder, "data/files"), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

const pdfScript = (text: string) => `<< /S /JavaScript /JS (${text}) >>`;
const pdf = pdfOf(
  `<< /Type /Catalog /Pages 2 0 R /OpenAction ${pdfScript("app.alert\\(1\\); this.submitForm\\('http://127.0.0.1:9/ran'\\)")} >>`,
  "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
  `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R
   /Resources << /Font << /F 5 0 R >> >> /AA << /O ${pdfScript("app.alert\\(2\\)")} >> >>`,
  streamOf("BT /F 32 Tf 40 100 Td (Hello reader) Tj ET"),
  "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
);
const script = "<script>document.title='ran';fetch('/ran')</script>";

test.each([
  ["page.html", `<!doctype html><body onload="fetch('/ran')">${script}</body>`],
  ["drawing.svg", `<svg xmlns="http://www.w3.org/2000/svg" onload="fetch('/ran')">${script}</svg>`],
  ["paper.pdf", new TextDecoder().decode(pdf)],
])("%s full of script opens harmlessly", async (name, bytes) => {
  await using app = await openTestApp();
  await app.start("--no-discord");
  const link = await app.link();
  const sent = await fetch(`${link}/${name}`, { method: "PUT", body: bytes });
  const share = (await sent.text()).trim();
  await using page = await openPage(browser, share);
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("dialog", (dialog) => asked.push(`dialog ${dialog.message()}`));
  for (const address of [share, `${share}/view`]) {
    // A PDF's bytes come as a download, which is no page.
    await page.goto(address, { waitUntil: "networkidle" }).catch((error) => {
      if (!/Download is starting|ERR_ABORTED/.test(String(error))) throw error;
    });
    expect(await page.title()).not.toBe("ran");
  }
  expect(
    asked.filter((url) => !url.startsWith(`${app.url}/f/`) && !url.startsWith(`${app.url}/assets/`)),
  ).toEqual([]);
  await look(share, name);
});

test("a one-time link that a bot has previewed still works once, after a resume, and then never again", async () => {
  await using app = await openTestApp();
  await app.start("--no-discord");
  const link = await app.link();
  const body = crypto.getRandomValues(new Uint8Array(60_000));
  await using page = await openPage(browser, link);
  await page.setInputFiles("#file", {
    name: "once.bin",
    mimeType: "application/octet-stream",
    buffer: Buffer.from(body),
  });
  await page.getByText("Options").click();
  await page.getByLabel("Maximum downloads").fill("1");
  await upload(page);
  await done(page);
  const share = await page.getByLabel("Link to share").inputValue();

  const discord = { "user-agent": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)" };
  const card = await (await fetch(share, { headers: { ...discord, accept: "text/html" } })).text();
  expect(card).toContain('<meta property="og:title" content="once.bin"/>');
  expect(await (await fetch(`${share}/download`, { headers: discord })).text()).toContain("og:title");
  await look(share, "one-time");

  const target = join(app.folder, "once.bin");
  await $`curl -sf -r 0-29999 -o ${target} ${share}/download`;
  await $`curl -sf -C - -o ${target} ${share}/download`;
  expect(Buffer.from(await Bun.file(target).bytes()).equals(Buffer.from(body))).toBe(true);
  const late = await fetch(`${share}/download`);
  expect(late.status).toBe(410);
  await using spent = await openPage(browser, share);
  expect(await spent.getByText("as often as its sender allows").count()).toBe(1);
  await button(page, "Copy link").waitFor();
});
