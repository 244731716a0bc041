import { form, need } from "./find.ts";

const alertText = need<HTMLElement>(".alert", form);

/** Says what went wrong; nothing without words. */
export function showAlert(words = ""): void {
  alertText.hidden = words === "";
  alertText.textContent = words;
}

/** Sends what somebody did, and shows what went wrong with it. False: it did. */
export async function send(path: string, body: FormData): Promise<boolean> {
  const response = await fetch(path, { method: "POST", body });
  showAlert(response.ok ? "" : await response.text());
  return response.ok;
}

/** The demo was stopped, or its wisbot is gone. */
export function lost(error: unknown): void {
  console.error(error);
  showAlert("The demo does not answer. Is `bun run demo` still running?");
}
