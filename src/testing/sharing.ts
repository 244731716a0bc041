import type { Files } from "../files/files.ts";
import type { StoredFile } from "../files/ports.ts";
import { lastOf } from "./tus-client.ts";

/** Says what the share behind an upload link shall be, as JSON or as whatever text a test wants to be refused. */
export const settle = (link: string, settings: object | string): Promise<Response> =>
  fetch(`${link}/settings`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof settings === "string" ? settings : JSON.stringify(settings),
  });

/** Sends a file through an upload link, as curl -T does. */
export const put = (link: string, name: string, body: BodyInit): Promise<Response> =>
  fetch(`${link}/${encodeURIComponent(name)}`, { method: "PUT", body });

/** A form of these fields, and of files as `[name, content]`. */
export function formOf(fields: Record<string, string>, files: [name: string, content: string][]): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  for (const [name, content] of files) form.append("file", new File([content], name));
  return form;
}

/** The share whose address an answer gives. */
export const shareAt = (response: Response, { files }: { files: Files }): Promise<StoredFile> =>
  files.get(lastOf(response.headers.get("location") ?? ""));
