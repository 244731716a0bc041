import type { UploadedFile } from "../cdn.ts";
import { refused } from "../error.ts";

export interface RequestBody {
  body: unknown;
  files: UploadedFile[];
}

/** JSON, or a form with `payload_json` and `files[n]`. Throws DiscordError 50109 on anything else. */
export async function readBody(request: Request): Promise<RequestBody> {
  const type = request.headers.get("content-type") ?? "";
  if (type.startsWith("multipart/form-data")) return readForm(await request.formData());
  const text = await request.text();
  return { body: text === "" ? undefined : parseJson(text), files: [] };
}

async function readForm(form: FormData): Promise<RequestBody> {
  const payload = form.get("payload_json");
  const files: UploadedFile[] = [];
  for (const [key, value] of form) {
    const index = /^files\[(\d+)\]$/.exec(key)?.[1];
    if (index === undefined || !(value instanceof Blob)) continue;
    const bytes = new Uint8Array(await value.arrayBuffer());
    const name = value instanceof File ? value.name : "file";
    files.push({ index: Number(index), name, contentType: value.type || "application/octet-stream", bytes });
  }
  return { body: typeof payload === "string" ? parseJson(payload) : {}, files };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused.notJson();
  }
}
