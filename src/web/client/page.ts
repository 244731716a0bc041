// Runs on every page. Pages read well without it.
import { copyText } from "./copy.ts";
import { countdown } from "./countdown.ts";

const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

for (const time of document.querySelectorAll<HTMLTimeElement>("time[data-local]")) {
  time.title = time.textContent.trim();
  time.textContent = local.format(new Date(time.dateTime));
}

for (const left of document.querySelectorAll<HTMLElement>("[data-countdown]")) {
  const show = () => {
    left.textContent = countdown(Number(left.dataset.countdown) - Date.now());
  };
  show();
  setInterval(show, 1000);
}

for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-copy]")) {
  const field = button.previousElementSibling;
  if (!(field instanceof HTMLElement)) continue;
  button.hidden = false;
  button.addEventListener("click", () => copyText(field.textContent, button, field));
}
