/** Do two names mean one model? A name without a tag means `:latest`, and case does not count. */
export function sameModel(a: string, b: string): boolean {
  return tagged(a) === tagged(b);
}

function tagged(name: string): string {
  // The registry's address may have a port: only a colon after the last slash starts a tag.
  const last = name.slice(name.lastIndexOf("/") + 1);
  return (last.includes(":") ? name : `${name}:latest`).toLowerCase();
}
