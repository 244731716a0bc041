import { fileCard } from "../cards.ts";
import { REQUEST_LIMIT } from "../inline.ts";
import { note } from "../render.ts";
import type { Command } from "./command.ts";

const NAME = "wisbot-export.json";
const JSON_TYPE = "application/json";

export const exportMine: Command = {
  name: "export",
  description: "All that is known of you, as one JSON file for you alone",
  help: () => "get a copy of what is known of you",

  async run({ llm, files, closing }, { interaction, member, reply }) {
    await reply.defer({ ephemeral: true });
    const pieces = encoded(llm.exportOf(member.id));
    const most = Math.min(interaction.attachmentSizeLimit, REQUEST_LIMIT);
    const { small, read } = await readUpTo(pieces, most);
    if (small) {
      const data = Buffer.concat(read);
      await reply.show({ content: WHOLE, file: { name: NAME, contentType: JSON_TYPE, data } });
      return;
    }
    const file = await files.add(
      { ownerId: member.id, asker: member.asker },
      {
        name: NAME,
        contentType: JSON_TYPE,
        length: undefined,
        body: streamOf(following(read, pieces)),
        signal: closing,
      },
    );
    await reply.show({ content: LINKED, ...fileCard(file) });
  },
};

const REST = note("`/wis files` lists your files, `/wis forget` erases all the rest.");
const WHOLE = `All that the AI knows of you is in this file. You alone see it.\n${REST}`;
const LINKED = `All that the AI knows of you is more than Discord takes: here is a link. Whoever has it can read the file, so keep it to yourself.\n${REST}`;

type Bytes = Uint8Array<ArrayBuffer>;

async function* encoded(pieces: AsyncIterable<string>): AsyncGenerator<Bytes> {
  const encoder = new TextEncoder();
  for await (const piece of pieces) yield encoder.encode(piece);
}

/** Reads to the end, or until there is more than `limit` bytes. */
async function readUpTo(
  pieces: AsyncGenerator<Bytes>,
  limit: number,
): Promise<{ small: boolean; read: Bytes[] }> {
  const read: Bytes[] = [];
  let bytes = 0;
  for (;;) {
    const { value, done } = await pieces.next();
    if (done) return { small: true, read };
    read.push(value);
    bytes += value.byteLength;
    if (bytes > limit) return { small: false, read };
  }
}

async function* following(first: Bytes[], rest: AsyncGenerator<Bytes>): AsyncGenerator<Bytes> {
  yield* first;
  yield* rest;
}

function streamOf(chunks: AsyncGenerator<Bytes>): ReadableStream<Bytes> {
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => void (await chunks.return(undefined)),
  });
}
