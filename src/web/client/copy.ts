const SHOWN_MS = 2000;

/** What is put back in the end. Whoever presses a button twice finds the outcome of the first time on it. */
const usualWords = new WeakMap<HTMLElement, string>();

/**
 * Puts `text` on the clipboard and says so for two seconds: on the button, or on its `data-word`, and in the `role=status`
 * behind it, which screen readers say aloud. `field` is selected where the clipboard is refused.
 */
export async function copyText(text: string, button: HTMLButtonElement, field: HTMLElement): Promise<void> {
  const word = button.querySelector<HTMLElement>("[data-word]") ?? button;
  const usual = usualWords.get(word) ?? word.textContent;
  usualWords.set(word, usual);
  const outcome = (await write(text, field)) ? "Copied" : "Press Ctrl+C";
  const status = button.nextElementSibling;
  word.textContent = outcome;
  if (status?.role === "status") status.textContent = outcome;
  setTimeout(() => {
    word.textContent = usual;
    if (status?.role === "status") status.textContent = "";
  }, SHOWN_MS);
}

/** Plain http has no clipboard, and a person may refuse it: then the text is selected, ready to be copied by hand. */
async function write(text: string, field: HTMLElement): Promise<boolean> {
  if (!navigator.clipboard) return copySelected(field);
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (refused) {
    console.info("clipboard refused", refused);
    return copySelected(field);
  }
}

function copySelected(field: HTMLElement): boolean {
  if (field instanceof HTMLInputElement) field.select();
  else getSelection()?.selectAllChildren(field);
  return document.execCommand("copy");
}
