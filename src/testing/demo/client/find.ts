/** The one element that the page has for this. Throws where it has none. */
export function need<T extends Element>(selector: string, within: ParentNode = document): T {
  const found = within.querySelector<T>(selector);
  if (!found) throw new Error(`The page has no ${selector}.`);
  return found;
}

export const form = need<HTMLFormElement>(".composer");
/** What scrolls the messages. */
export const view = need<HTMLElement>(".scroll");
const field = (name: string) => need<HTMLInputElement>(`input[name="${name}"]`, form).value;

/** Who looks where. */
export const place = { as: field("as"), channel: field("channel") };
