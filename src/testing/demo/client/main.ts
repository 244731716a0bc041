// The demo page's script: shows what the server sends, and sends what one types and presses.
import { attach, reply, type } from "./composer.ts";
import { need, place, view } from "./find.ts";
import { merge, parsed } from "./merge.ts";
import { lost, send } from "./send.ts";
import { tellTimes } from "./times.ts";

const messages = need<HTMLElement>("#messages");
const hosts = need<HTMLElement>("#hosts");
const traces = need<HTMLElement>("#trace-list");
const toggle = need<HTMLButtonElement>(".toggle");

// What the server shows

const events = new EventSource(`/events?${new URLSearchParams(place)}`);
events.addEventListener("messages", ({ data }) => showMessages(data));
events.addEventListener("hosts", ({ data }) => merge(hosts, data));
events.addEventListener("traces", ({ data }) => showTraces(data));
events.addEventListener("counts", ({ data }) => showCounts(JSON.parse(data)));

function showMessages(html: string): void {
  const atEnd = view.scrollHeight - view.scrollTop - view.clientHeight < 80;
  merge(messages, html);
  tellTimes();
  if (atEnd) view.scrollTop = view.scrollHeight;
}

function showTraces(html: string): void {
  const open = new Set([...traces.querySelectorAll("details[open]")].map(({ id }) => id));
  const known = new Set([...traces.querySelectorAll("details")].map(({ id }) => id));
  const next = parsed(html);
  for (const details of next.querySelectorAll("details"))
    if (known.has(details.id)) details.open = open.has(details.id);
  traces.replaceChildren(...next.children);
}

function showCounts(counts: Record<string, number>): void {
  for (const [channel, count] of Object.entries(counts)) {
    const key = `${place.as} ${channel}`;
    const seen = channel === place.channel ? count : Number(sessionStorage.getItem(key) ?? 0);
    sessionStorage.setItem(key, String(seen));
    const badge = need<HTMLElement>(`a[data-channel="${channel}"] .badge`);
    badge.hidden = count <= seen;
    badge.textContent = `${count - seen} new`;
  }
}

// What one presses

/** A button says in its data where it is sent, and with what. */
async function press(button: HTMLButtonElement): Promise<void> {
  const { post = "", ...fields } = button.dataset;
  const body = new FormData();
  body.set("as", place.as);
  for (const [name, value] of Object.entries(fields)) body.set(name, value ?? "");
  button.disabled = true;
  await send(post, body).finally(() => {
    button.disabled = false;
  });
}

document.addEventListener("click", (event) => {
  const { target } = event;
  if (!(target instanceof Element)) return;
  const button = target.closest<HTMLButtonElement>("button[data-post]");
  if (button) press(button).catch(lost);
  const message = target.closest<HTMLElement>("[data-reply]");
  if (message) reply(message.dataset.reply, message.dataset.author);
  const example = target.closest<HTMLElement>("[data-type]");
  if (example) type(example.dataset.type ?? "");
  const step = target.closest<HTMLAnchorElement>("a[data-step]");
  if (!step || event.ctrlKey || event.metaKey) return;
  const { searchParams } = new URL(step.href);
  if (searchParams.get("as") !== place.as || searchParams.get("channel") !== place.channel) return;
  // One is there already: a reply that has been begun stays one.
  event.preventDefault();
  take(searchParams);
});

/** Writes a step's words into the line and attaches its file. */
function take(step: URLSearchParams): void {
  showSide(false);
  type(step.get("line") ?? "");
  attach(step.get("file")).catch(lost);
}

// What stands beside the chat

function showSide(shown: boolean): void {
  toggle.ariaExpanded = String(shown);
  document.body.classList.toggle("with-side", shown);
}

toggle.addEventListener("click", () => showSide(toggle.ariaExpanded !== "true"));

// What is open stays open for the next person and channel.
for (const details of document.querySelectorAll<HTMLDetailsElement>("details[data-kept]")) {
  const kept = sessionStorage.getItem(details.id);
  if (kept !== null) details.open = kept === "open";
  details.addEventListener("toggle", () => {
    sessionStorage.setItem(details.id, details.open ? "open" : "closed");
  });
}

for (const here of document.querySelectorAll(".rail [aria-current]"))
  here.scrollIntoView({ block: "nearest", inline: "nearest" });
setInterval(tellTimes, 1000);
tellTimes();
view.scrollTop = view.scrollHeight;
const asked = new URL(location.href);
if (asked.searchParams.has("line")) {
  take(asked.searchParams);
  // Loaded again, the page would write it again.
  history.replaceState(null, "", `/?${new URLSearchParams(place)}`);
}
