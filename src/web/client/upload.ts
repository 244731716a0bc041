// Runs the upload page, in place of the plain form that stands in templates/upload.tsx.
import { h, render } from "preact";
import { createUploadServer } from "./upload-server.ts";
import { createSession, type Phase } from "./upload-session.ts";
import { catchFiles } from "./upload-sources.ts";
import { Page } from "./upload-view.tsx";
import { createWakefulness } from "./upload-wake.ts";
import { sentOf, sizeOf } from "./upload-words.ts";

/** The element of that id. Its absence is a mistake in the template. */
function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found) return found;
  throw new Error(`no #${id} on this page`);
}

// Many events a second draw the page this often.
const DRAW_EVERY_MS = 100;
const TITLES: Record<Phase, string> = { choosing: "Upload files", sending: "Uploading", done: "Uploaded" };
const FOCUS: Record<Phase, string> = { choosing: "file", sending: "pause", done: "copy" };

const card = element("upload");
const options = element("options");
const { address = "", ticket = "", maxFileBytes, maxBytes, maxFiles } = card.dataset;
const room = { maxFileBytes: Number(maxFileBytes), maxBytes: Number(maxBytes), maxFiles: Number(maxFiles) };
const usualTitle = document.title;
const wakefulness = createWakefulness();

let over = false;
let shown: Phase = "choosing";
let isDue = false;

function draw(): void {
  isDue = false;
  const view = session.view();
  render(h(Page, { view, session, over, options }), app);
  const moving = view.items.some(({ state }) => state === "sending" || state === "waiting");
  wakefulness.keep(view.phase === "sending" && moving);
  document.title = view.phase === "sending" && moving ? `${percent()} % · ${usualTitle}` : usualTitle;
  if (view.phase !== shown) moveTo(view.phase);
}

/** What was focused is gone: the next thing to do takes its place. */
function moveTo(phase: Phase): void {
  shown = phase;
  const title = element("title");
  title.textContent = TITLES[phase];
  for (const part of document.querySelectorAll<HTMLElement>("[data-phases]"))
    part.hidden = !part.dataset.phases?.includes(phase);
  document.getElementById(FOCUS[phase])?.focus({ preventScroll: true });
  title.scrollIntoView({ block: "nearest" });
}

function percent(): number {
  const { items } = session.view();
  return Math.floor((sentOf(items) / Math.max(1, sizeOf(items))) * 100);
}

function changed(): void {
  if (isDue) return;
  isDue = true;
  setTimeout(draw, DRAW_EVERY_MS);
}

const app = document.createElement("div");
element("plain").replaceWith(app);
const session = createSession({ ticket, room, server: createUploadServer(address), changed });
draw();
catchFiles({
  pick: session.pick,
  hover(now) {
    if (now !== over) changed();
    over = now;
  },
  failed: session.failed,
});
addEventListener("beforeunload", (event) => {
  const { phase, items } = session.view();
  if (phase === "sending" && items.some(({ state }) => state !== "ready")) event.preventDefault();
});
session.open().catch(session.failed);
