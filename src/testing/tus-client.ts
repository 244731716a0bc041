/** What every request of the upload protocol says. */
export const TUS = { "tus-resumable": "1.0.0" };
const BYTES = { ...TUS, "content-type": "application/offset+octet-stream" };

type Metadata = Record<string, string>;

/** `Upload-Metadata`: keys with their values in base64. */
export function metadataOf(values: Metadata): string {
  return Object.entries(values)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString("base64")}`)
    .join(",");
}

/** The last part of an address: a ticket, a file's id, an upload's key. */
export const lastOf = (url: string): string => url.split("/").at(-1) ?? "";

/** The upload protocol through one link, one request a call, as written: no retries and no cleverness. */
export function tusClient(link: string) {
  const { origin } = new URL(link);
  const uploads = `${origin}/api/uploads`;

  /** Asks for an upload. `length` undefined: it is said later. */
  async function create(
    length: number | undefined,
    metadata: Metadata = {},
    { headers = {}, body }: { headers?: Record<string, string>; body?: BodyInit } = {},
  ): Promise<Response> {
    const size = length === undefined ? { "upload-defer-length": "1" } : { "upload-length": String(length) };
    const said = metadataOf({ ticket: lastOf(link), filename: "a.bin", ...metadata });
    const all = { ...(body === undefined ? TUS : BYTES), ...size, "upload-metadata": said, ...headers };
    return await fetch(uploads, { method: "POST", headers: all, ...(body !== undefined && { body }) });
  }

  return {
    uploads,
    create,
    /** The address of a new upload. */
    async begin(length: number | undefined, metadata?: Metadata): Promise<string> {
      const response = await create(length, metadata);
      if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
      return new URL(response.headers.get("location") ?? "", origin).href;
    },
    patch: (upload: string, offset: number, body: BodyInit, headers: Record<string, string> = {}) =>
      fetch(upload, {
        method: "PATCH",
        headers: { ...BYTES, "upload-offset": String(offset), ...headers },
        body,
      }),
    head: (upload: string) => fetch(upload, { method: "HEAD", headers: TUS }),
    cancel: (upload: string) => fetch(upload, { method: "DELETE", headers: TUS }),
    /** The head of a PATCH as it goes over the wire, for a body that the test writes by hand. */
    patchHead: (upload: string, offset: number, length: number) =>
      [
        `PATCH ${new URL(upload).pathname} HTTP/1.1`,
        `Host: ${new URL(upload).host}`,
        "Tus-Resumable: 1.0.0",
        "Content-Type: application/offset+octet-stream",
        `Upload-Offset: ${offset}`,
        `Content-Length: ${length}`,
        "\r\n",
      ].join("\r\n"),
  };
}

/** How many bytes are here, as the server says. */
export const offsetOf = (response: Response): number => Number(response.headers.get("upload-offset"));
