// Runs on every page. Pages read well without it.
import { copyText } from "./copy.ts";

const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

for (const time of document.querySelectorAll<HTMLTimeElement>("time[data-local]")) {
  time.title = time.textContent.trim();
  time.textContent = local.format(new Date(time.dateTime));
}

for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-copy]")) {
  const field = button.previousElementSibling;
  if (!(field instanceof HTMLElement)) continue;
  button.hidden = false;
  button.addEventListener("click", () => copyText(field.textContent, button, field));
}
