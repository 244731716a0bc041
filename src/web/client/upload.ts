// Runs the upload page: shows one step at a time. Its elements stand in templates/upload.tsx.
import prettyBytes from "pretty-bytes";
import { copyText } from "./copy.ts";
import { createPace, timeLeft } from "./pace.ts";
import { type Problem, type Sending, send } from "./send.ts";

type Step = "choose" | "sending" | "failed" | "done";

/** The element of that id and kind. Its absence is a mistake in the template. */
function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`no ${kind.name} #${id} on this page`);
}

const card = element("upload", HTMLElement);
const drop = element("drop", HTMLLabelElement);
const input = element("file", HTMLInputElement);
const refused = element("refused", HTMLElement);
const progress = element("progress", HTMLProgressElement);
const cancel = element("cancel", HTMLButtonElement);
const retry = element("retry", HTMLButtonElement);
const other = element("other", HTMLButtonElement);
const link = element("link", HTMLInputElement);
const copy = element("copy", HTMLButtonElement);
const open = element("open", HTMLAnchorElement);
const announce = element("announce", HTMLElement);
const failedId = element("failed-id", HTMLElement);

const address = card.dataset.address ?? "";
const maxBytes = Number(card.dataset.maxBytes);
// A cancelled upload gives its link back as soon as the server notices; asking a moment later is enough.
const BUSY_RETRIES = 5;
const BUSY_WAIT_MS = 400;

let sending: Sending | undefined;
let chosen: File | undefined;

function show(step: Step, focus: HTMLElement | undefined): void {
  for (const block of card.querySelectorAll<HTMLElement>("[data-step]"))
    block.hidden = block.dataset.step !== step;
  // A used link takes nothing more: how to use it has become wrong.
  for (const part of document.querySelectorAll<HTMLElement>("[data-until-done]"))
    part.hidden = step === "done";
  focus?.focus();
}

function text(id: string, content: string): void {
  element(id, HTMLElement).textContent = content;
}

/** Said by screen readers; progress is said by quarters, so that they get to say it. */
function say(content: string): void {
  if (announce.textContent !== content) announce.textContent = content;
}

function choose(file: File | undefined): void {
  if (!file || sending) return;
  if (file.size > maxBytes) {
    refused.textContent = `${file.name} is ${prettyBytes(file.size)}; at most ${prettyBytes(maxBytes)} fit. Nothing was sent.`;
    refused.hidden = false;
    return;
  }
  refused.hidden = true;
  chosen = file;
  void start(file);
}

/** Sends, and shows how it goes until it has ended one way or another. */
async function start(file: File): Promise<void> {
  text("sending-name", file.name);
  showProgress(file.size, 0, undefined, undefined);
  show("sending", cancel);
  say(`Sending ${file.name}.`);
  const outcome = await sendUntilTaken(file);
  sending = undefined;
  input.value = "";
  if (outcome === undefined) {
    say("Cancelled. Nothing was kept.");
    show("choose", input);
  } else if ("link" in outcome) showDone(file, outcome.link);
  else showFailed(outcome.problem);
}

async function sendUntilTaken(file: File): Promise<Awaited<Sending["outcome"]>> {
  for (let attempt = 1; ; attempt += 1) {
    const pace = createPace(file.size);
    sending = send(address, file, (bytes) => {
      const { speed, secondsLeft } = pace.add({ at: performance.now(), bytes });
      showProgress(file.size, bytes, speed, secondsLeft);
    });
    const outcome = await sending.outcome;
    const busy = outcome !== undefined && "problem" in outcome && outcome.problem.code === "ticket.busy";
    if (!busy || attempt > BUSY_RETRIES) return outcome;
    await new Promise((resolve) => setTimeout(resolve, BUSY_WAIT_MS));
  }
}

function showProgress(total: number, bytes: number, speed?: number, secondsLeft?: number): void {
  const percent = total === 0 ? 100 : Math.min(100, (bytes / total) * 100);
  progress.value = percent;
  const sent =
    percent === 100
      ? "All sent, being checked and stored…"
      : `${prettyBytes(bytes)} of ${prettyBytes(total)}`;
  text("sent", bytes === 0 && total > 0 ? `${prettyBytes(total)} to send` : sent);
  const rate = speed === undefined || percent === 100 ? "" : `${prettyBytes(speed)}/s`;
  const left = rate === "" || secondsLeft === undefined ? "" : ` · ${timeLeft(secondsLeft)}`;
  text("speed", rate + left);
  const quarter = Math.floor(percent / 25) * 25;
  if (quarter > 0) say(`${quarter} percent sent.`);
}

function showDone(file: File, address: string): void {
  text("title", "Uploaded");
  text("done-name", file.name);
  link.value = address;
  open.href = address;
  say(`${file.name} is ready to be shared.`);
  show("done", copy);
}

function showFailed(problem: Problem): void {
  text("failed-say", problem.say);
  text("failed-hint", problem.hint);
  failedId.textContent = problem.errorId ? `Error id ${problem.errorId}` : "";
  failedId.hidden = !problem.errorId;
  show("failed", retry);
}

input.addEventListener("change", () => choose(input.files?.[0]));
cancel.addEventListener("click", () => sending?.cancel());
retry.addEventListener("click", () => chosen && void start(chosen));
other.addEventListener("click", () => show("choose", input));
copy.addEventListener("click", () => copyText(link.value, copy, link));
link.addEventListener("focus", () => link.select());

// The whole window takes the file: a drop beside the frame would otherwise leave the page.
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) drop.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  if (!drop.closest("[hidden]")) choose(event.dataTransfer?.files[0]);
});
addEventListener("beforeunload", (event) => {
  if (sending) event.preventDefault();
});

show("choose", undefined);
