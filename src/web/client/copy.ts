/** Puts `text` on the clipboard and says so on the button for two seconds. `field` is selected where that is refused. */
export async function copyText(text: string, button: HTMLButtonElement, field: HTMLElement): Promise<void> {
  const label = button.textContent;
  const copied = await write(text, field);
  button.textContent = copied ? "Copied" : "Press Ctrl+C";
  setTimeout(() => {
    button.textContent = label;
  }, 2000);
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
