import { form, need, view } from "./find.ts";
import { lost, send, showAlert } from "./send.ts";

// The line at the bottom: what one types, attaches and replies to.

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

const line = need<HTMLInputElement>('input[name="line"]', form);
const file = need<HTMLInputElement>('input[type="file"]', form);
const extras = need<HTMLElement>(".extras", form);
const menu = need<HTMLElement>(".menu", form);
const commands: OfferedCommand[] = JSON.parse(line.dataset.commands ?? "[]");

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

/** Writes into the line, to be sent or gone on with. */
export function type(text: string): void {
  line.value = text;
  line.focus();
  onWritten();
}

function onWritten(): void {
  showAlert();
  showControls();
}

line.addEventListener("input", onWritten);
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

const submitButton = need<HTMLButtonElement>('button[type="submit"]', form);
/** Aborted when the sample that is on its way is not wanted any more. */
let coming = new AbortController();

/** Attaches one of the demo's own files; nothing without a name. Until it is there, nothing can be sent. */
export async function attach(name: string | null): Promise<void> {
  unattach();
  if (name === null) return;
  const { signal } = coming;
  submitButton.disabled = true;
  try {
    const response = await fetch(`/samples/${encodeURIComponent(name)}`, { signal });
    if (!response.ok) return showAlert(`The demo has no file ${name}. Attach one of your own.`);
    const blob = await response.blob();
    const picked = new DataTransfer();
    picked.items.add(new File([blob], name, { type: blob.type }));
    file.files = picked.files;
    showFile();
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    // Another one may be on its way by now.
    if (!signal.aborted) submitButton.disabled = false;
  }
}

function unattach(): void {
  file.value = "";
  onPicked();
}

/** What somebody picks takes the place of what was on its way. */
function onPicked(): void {
  coming.abort();
  coming = new AbortController();
  submitButton.disabled = false;
  showFile();
}

file.addEventListener("change", onPicked);
unpick.addEventListener("click", () => {
  unattach();
  line.focus();
});

const replying = need<HTMLElement>(".replying", form);
const replyTo = need<HTMLInputElement>('input[name="reply"]', form);

/** What one writes next replies to that message; to none without an id. */
export function reply(id = "", author = ""): void {
  replyTo.value = id;
  need<HTMLElement>("span", replying).textContent = `Replying to ${author}`;
  replying.hidden = id === "";
  line.focus();
}

need<HTMLButtonElement>(".unreply", replying).addEventListener("click", () => reply());

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
