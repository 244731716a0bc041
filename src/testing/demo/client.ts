// The demo page's script: shows what the server sends, and sends what one types and presses.

interface OfferedOption {
  name: string;
  type: number;
  description: string;
  required?: boolean | null;
}

interface OfferedCommand {
  path: string;
  description: string;
  options: OfferedOption[];
}

const FILE = 11;
const SWITCH = 5;

function need<T extends Element>(selector: string, within: ParentNode = document): T {
  const found = within.querySelector<T>(selector);
  if (!found) throw new Error(`The page has no ${selector}.`);
  return found;
}

const view = need<HTMLElement>(".scroll");
const messages = need<HTMLElement>("#messages");
const traces = need<HTMLElement>("#trace-list");
const form = need<HTMLFormElement>(".composer");
const line = need<HTMLInputElement>('input[name="line"]', form);
const file = need<HTMLInputElement>('input[type="file"]', form);
const extras = need<HTMLElement>(".extras", form);
const menu = need<HTMLElement>(".menu", form);
const alertText = need<HTMLElement>(".alert", form);
const toggle = need<HTMLButtonElement>(".toggle");
const commands: OfferedCommand[] = JSON.parse(line.dataset.commands ?? "[]");
const place = new URLSearchParams({ as: field("as"), channel: field("channel") });

function field(name: string): string {
  return need<HTMLInputElement>(`input[name="${name}"]`, form).value;
}

// What the server shows

const events = new EventSource(`/events?${place}`);
events.addEventListener("messages", ({ data }) => showMessages(data));
events.addEventListener("traces", ({ data }) => showTraces(data));
events.addEventListener("counts", ({ data }) => showCounts(JSON.parse(data)));

/** Changes only what differs: an answer that grows leaves buttons, focus and selection elsewhere alone. */
function showMessages(html: string): void {
  const atEnd = view.scrollHeight - view.scrollTop - view.clientHeight < 80;
  const next = parsed(html);
  const wanted = new Set([...next.children].map(({ id }) => id));
  for (const old of [...messages.children]) if (!wanted.has(old.id)) old.remove();
  for (const article of [...next.children]) {
    const old = document.getElementById(article.id);
    if (old) patch(old, article);
    else messages.append(article);
  }
  tellTimes();
  if (atEnd) view.scrollTop = view.scrollHeight;
}

function patch(old: Element, next: Element): void {
  old.className = next.className;
  for (const part of next.querySelectorAll<HTMLElement>("[data-part]")) {
    const before = old.querySelector<HTMLElement>(`[data-part="${part.dataset.part}"]`);
    if (before && sources.get(before) === part.innerHTML) continue;
    if (before) before.replaceWith(part);
    sources.set(part, part.innerHTML);
  }
}

/** What a part was made from: its times have been put into words since. */
const sources = new WeakMap<Element, string>();

function showTraces(html: string): void {
  const open = new Set([...traces.querySelectorAll("details[open]")].map(({ id }) => id));
  const known = new Set([...traces.querySelectorAll("details")].map(({ id }) => id));
  const next = parsed(html);
  for (const details of next.querySelectorAll("details"))
    if (known.has(details.id)) details.open = open.has(details.id);
  traces.replaceChildren(...next.children);
}

function showCounts(counts: Record<string, number>): void {
  const here = place.get("channel") ?? "";
  for (const [channel, count] of Object.entries(counts)) {
    const key = `${place.get("as")} ${channel}`;
    const seen = channel === here ? count : Number(sessionStorage.getItem(key) ?? 0);
    sessionStorage.setItem(key, String(seen));
    const badge = need<HTMLElement>(`a[data-channel="${channel}"] .badge`);
    badge.hidden = count <= seen;
    badge.textContent = `${count - seen} new`;
  }
}

function parsed(html: string): DocumentFragment {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
] as const;

function fromNow(at: number): string {
  const seconds = Math.round((at - Date.now()) / 1000);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? (["second", 1] as const);
  return relative.format(Math.round(seconds / size), unit);
}

const clock = new Intl.DateTimeFormat("en", { timeStyle: "short" });
const full = new Intl.DateTimeFormat("en", { dateStyle: "long", timeStyle: "short" });

function tellTimes(): void {
  for (const time of document.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    const words =
      time.dataset.style === "R"
        ? fromNow(at.getTime())
        : time.dataset.style === "t"
          ? clock.format(at)
          : full.format(at);
    if (time.textContent !== words) time.textContent = words;
    time.title = full.format(at);
  }
}

// What one types

const typed = () =>
  commands.find(({ path }) => line.value === `/${path}` || line.value.startsWith(`/${path} `));

function showControls(): void {
  const command = typed();
  const takes = (type: number) => command?.options.some((option) => option.type === type) ?? false;
  const flag = command?.options.find(({ type }) => type === SWITCH);
  const isMessage = line.value !== "" && !line.value.startsWith("/");
  extras.hidden = !isMessage && !takes(FILE) && !flag;
  need<HTMLElement>(".pick", extras).hidden = !isMessage && !takes(FILE);
  showSwitch(flag?.name);
  const wanted = line.value.startsWith("/") && !command;
  const fitting = wanted ? commands.filter(({ path }) => `/${path}`.startsWith(line.value.trimEnd())) : [];
  menu.replaceChildren(...fitting.map(menuItem));
  menu.hidden = fitting.length === 0;
  line.setAttribute("aria-expanded", String(!menu.hidden));
}

/** The one switch that a command has. */
function showSwitch(name: string | undefined): void {
  const label = need<HTMLElement>(".switch", extras);
  const box = need<HTMLInputElement>("input", label);
  label.hidden = name === undefined;
  if (name === undefined || box.value === name) return;
  box.value = name;
  box.checked = false;
  need<HTMLElement>("span", label).textContent = name;
}

function menuItem({ path, description, options }: OfferedCommand, index: number): HTMLElement {
  const item = document.createElement("div");
  item.role = "option";
  item.dataset.type = `/${path}${options.some(({ required }) => required) ? " " : ""}`;
  item.setAttribute("aria-selected", String(index === 0));
  const name = document.createElement("strong");
  name.textContent = `/${path}`;
  const words = document.createElement("span");
  words.textContent = description;
  item.append(name, " ", words);
  return item;
}

function choose(step: number): void {
  const items = [...menu.children];
  const at = items.findIndex((item) => item.ariaSelected === "true");
  const next = (at + step + items.length) % items.length;
  items.forEach((item, index) => {
    item.ariaSelected = String(index === next);
  });
}

function type(text: string): void {
  line.value = text;
  line.focus();
  showControls();
}

line.addEventListener("input", () => {
  alertText.hidden = true;
  showControls();
});
line.addEventListener("keydown", (event) => {
  if (menu.hidden) return;
  const chosen = menu.querySelector<HTMLElement>('[aria-selected="true"]');
  if (event.key === "ArrowDown") choose(1);
  else if (event.key === "ArrowUp") choose(-1);
  else if (event.key === "Escape") menu.hidden = true;
  else if ((event.key === "Enter" || event.key === "Tab") && chosen) type(chosen.dataset.type ?? "");
  else return;
  event.preventDefault();
});

const unpick = need<HTMLButtonElement>(".unpick", form);

function showFile(): void {
  const [picked] = file.files ?? [];
  need<HTMLElement>(".pick span", form).textContent = picked?.name ?? "Attach a file";
  unpick.hidden = !picked;
}

file.addEventListener("change", showFile);
unpick.addEventListener("click", () => {
  file.value = "";
  showFile();
  line.focus();
});

const replying = need<HTMLElement>(".replying", form);
const replyTo = need<HTMLInputElement>('input[name="reply"]', form);

/** What one writes next replies to that message; to none without an id. */
function reply(id = "", author = ""): void {
  replyTo.value = id;
  need<HTMLElement>("span", replying).textContent = `Replying to ${author}`;
  replying.hidden = id === "";
  line.focus();
}

need<HTMLButtonElement>(".unreply", replying).addEventListener("click", () => reply());

async function send(path: string, body: FormData): Promise<boolean> {
  const response = await fetch(path, { method: "POST", body });
  alertText.hidden = response.ok;
  alertText.textContent = response.ok ? "" : await response.text();
  return response.ok;
}

/** The demo was stopped, or its wisbot is gone. */
function lost(error: unknown): void {
  console.error(error);
  alertText.hidden = false;
  alertText.textContent = "The demo does not answer. Is `bun run demo` still running?";
}

async function submit(): Promise<void> {
  const body = new FormData(form);
  view.scrollTop = view.scrollHeight;
  if (!(await send(form.action, body))) return;
  form.reset();
  reply();
  showFile();
  showControls();
  line.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit().catch(lost);
});

// What one presses

async function press(button: HTMLButtonElement): Promise<void> {
  const body = new FormData();
  body.set("as", place.get("as") ?? "");
  body.set("message", button.dataset.message ?? "");
  body.set("button", button.dataset.press ?? "");
  button.disabled = true;
  await send("/presses", body);
  button.disabled = false;
}

document.addEventListener("click", ({ target }) => {
  if (!(target instanceof Element)) return;
  const button = target.closest<HTMLButtonElement>("button[data-press]");
  if (button) press(button).catch(lost);
  const message = target.closest<HTMLElement>("[data-reply]");
  if (message) reply(message.dataset.reply, message.dataset.author);
  const example = target.closest<HTMLElement>("[data-type]");
  if (example) type(example.dataset.type ?? "");
});

toggle.addEventListener("click", () => {
  const shown = toggle.ariaExpanded !== "true";
  toggle.ariaExpanded = String(shown);
  document.body.classList.toggle("with-traces", shown);
});

setInterval(tellTimes, 1000);
tellTimes();
view.scrollTop = view.scrollHeight;

export {};
