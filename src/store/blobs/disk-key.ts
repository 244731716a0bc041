/** Tickets and file ids: nothing in this alphabet means anything to a file system or in a URL. */
const KEY = /^[A-Za-z0-9_-]{22,64}$/;

export function isKey(name: string): boolean {
  return KEY.test(name);
}

/** The key, for what is none could leave its folder. */
export function checkedKey(key: string): string {
  if (!isKey(key)) throw new Error("not the key of a blob");
  return key;
}
