/** What a part was made from: its times have been put into words since. */
const sources = new WeakMap<Element, string>();

/** Makes `list` show what the server sends. Changes only what differs: focus and selection elsewhere stay. */
export function merge(list: Element, html: string): void {
  const next = parsed(html);
  const wanted = new Set([...next.children].map(({ id }) => id));
  for (const old of [...list.children]) if (!wanted.has(old.id)) old.remove();
  for (const item of [...next.children]) {
    const old = document.getElementById(item.id);
    if (old) patch(old, item);
    else list.append(item);
  }
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

export function parsed(html: string): DocumentFragment {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}
