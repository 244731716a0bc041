import { expect, test } from "bun:test";
import fc from "fast-check";
import { isWisError } from "../errors.ts";
import { formOf } from "../testing/sharing.ts";
import { type FormFile, readForm } from "./form.ts";

const HEAD = { "content-type": "multipart/form-data; boundary=b" };
const PART = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n';
const FIELD = '--b\r\nContent-Disposition: form-data; name="title"\r\n\r\n';

/** A form whose sender says all of `parts` and then waits for ever. `left` resolves when nobody listens any more. */
function endless(...parts: (string | Uint8Array)[]) {
  const left = Promise.withResolvers<unknown>();
  const chunks = parts.map((part) => (typeof part === "string" ? new TextEncoder().encode(part) : part));
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = chunks.shift();
      if (next) controller.enqueue(next);
    },
    cancel: left.resolve,
  });
  return {
    request: new Request("http://wis.test/", {
      method: "POST",
      body,
      headers: { ...HEAD, "content-length": "9" },
    }),
    left: left.promise,
  };
}

const drain = async ({ body }: FormFile) => void (await new Response(body).bytes());
const codeOf = (error: unknown) => (isWisError(error) ? error.code : error);

test.each([
  ["nothing", []],
  ["a preamble", ["it is said at length"]],
  ["a field", [FIELD]],
  ["what is behind a file", [PART, FIELD.slice(0, -10)]],
  ["what is behind the end", [PART, "--b--\r\n", "and more"]],
])("a form that stops in %s is given up, and its sender is let go", async (_, parts) => {
  const { request, left } = endless(...parts);
  const rules = { patience: 40, bytes: 1_000_000 };
  expect(await readForm(request, drain, { rules }).then(() => "read", codeOf)).toBe("upload.slow");
  expect(codeOf(await left)).toBe("upload.slow");
});

test("a file that takes longer than that is waited for: its own pace is watched by who takes it", async () => {
  const given: string[] = [];
  const { files } = await readForm(
    new Request("http://wis.test/", { method: "POST", body: formOf({}, [["a.txt", "hello"]]) }),
    async (file) => {
      await Bun.sleep(300);
      given.push(await new Response(file.body).text());
    },
    { rules: { patience: 200, bytes: 1_000 } },
  );
  expect([files, given]).toEqual([1, ["hello"]]);
});

test.each([
  ["a preamble", [new Uint8Array(2_000)]],
  ["a field", [FIELD, new Uint8Array(2_000)]],
  ["a file that has no name", [PART.replace("a.txt", ""), new Uint8Array(2_000)]],
  ["what is behind the end", [PART, "--b--\r\n", new Uint8Array(2_000)]],
])("more bytes than any form has in %s are not read to their end", async (_, parts) => {
  const { request, left } = endless(...parts, new Uint8Array(10), new Uint8Array(10));
  const rules = { patience: 20_000, bytes: 1_000 };
  expect(await readForm(request, drain, { rules }).then(() => "read", codeOf)).toBe("bad_request");
  expect(codeOf(await left)).toBe("bad_request");
});

test("a form is given up with whoever waits for it", async () => {
  const { request, left } = endless(FIELD);
  const ending = new AbortController();
  const read = readForm(request, drain, { signal: ending.signal }).then(() => "read", codeOf);
  ending.abort(new Error("the end"));
  expect(await read).toBe("upload.cut");
  expect(codeOf(await left)).toBe("upload.cut");
});

test("files are no bytes of the form's own, whatever their sizes, and come with the fields before them", async () => {
  const sizes = fc.array(fc.constantFrom(0, 1, 5_000, 70_000, 600_000), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(sizes, async (all) => {
      const form = formOf(
        { title: "x" },
        all.map((size, at) => [`${at}.bin`, "x".repeat(size)]),
      );
      const taken: [number, string | undefined][] = [];
      await readForm(
        new Request("http://wis.test/", { method: "POST", body: form }),
        async (file, fields) => {
          taken.push([(await new Response(file.body).bytes()).length, fields.get("title")]);
        },
        { rules: { patience: 20_000, bytes: 4_000 } },
      );
      expect(taken).toEqual(all.map((size) => [size, "x"]));
    }),
    { numRuns: 30 },
  );
});
