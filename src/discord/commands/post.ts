import type { ButtonInteraction } from "discord.js";
import { isWisError, WisError } from "../../errors.ts";
import type { Files } from "../../files/files.ts";
import type { StoredFile } from "../../files/ports.ts";
import { type Member, mayManage } from "../../members/member.ts";
import { fileCard, goneCard } from "../cards.ts";
import { fitsInline, type Offer, offerIn } from "../inline.ts";
import type { Asked, Button, CommandDeps } from "./command.ts";

/** "Post it here": the file itself as an attachment below its card, once. */
export const postFile: Button = {
  kind: "file:post",
  async run({ files, posts }, asked, id) {
    const { reply } = asked;
    await reply.acknowledge();
    const file = await posts.inTurn(id, () => begin({ files, posts }, asked, id));
    if (!file) return;
    /** Shows the card as it is to be afterwards, unless its file went meanwhile. */
    const end = (post?: Offer) =>
      posts.inTurn(id, async () => {
        posts.end(id);
        const left = await fileToPost(files, id);
        await reply.show(left ? fileCard(left, { post }) : gone);
      });
    try {
      const { name, contentType } = file;
      const data = await bytesOf(files, file);
      if (data) await reply.more({ file: { name, contentType, data } });
    } catch (error) {
      // What goes wrong with this as well goes with the error that led here.
      await Promise.allSettled([end("offered")]);
      throw error;
    }
    await end();
  },
};

const gone = goneCard("This file is gone.");

/** The file, when it is to be posted now: its card says so from then on. Who presses once more finds nothing offered. */
async function begin(
  { files, posts }: Pick<CommandDeps, "files" | "posts">,
  { interaction, member, reply }: Asked<ButtonInteraction>,
  id: string,
): Promise<StoredFile | undefined> {
  const file = await fileToPost(files, id);
  if (!file) {
    await reply.show(gone);
    return undefined;
  }
  refuse(file, member, interaction.attachmentSizeLimit);
  if (posts.has(id) || offerIn(await reply.current(), id) !== "offered") return undefined;
  posts.begin(id);
  try {
    await reply.show(fileCard(file, { post: "posting" }));
  } catch (error) {
    posts.end(id);
    throw error;
  }
  return file;
}

/** All of it; undefined when it was deleted meanwhile, maybe under its reader. */
async function bytesOf(files: Files, file: StoredFile): Promise<Uint8Array | undefined> {
  const [read] = await Promise.allSettled([files.open(file).then((blob) => blob.bytes())]);
  if (!(await fileToPost(files, file.id))) return undefined;
  if (read.status === "rejected") throw read.reason;
  return read.value;
}

async function fileToPost(files: Files, id: string): Promise<StoredFile | undefined> {
  try {
    return await files.get(id);
  } catch (error) {
    if (isWisError(error, "file.unknown")) return undefined;
    throw error;
  }
}

function refuse(file: StoredFile, member: Member, attachmentLimit: number): void {
  if (!mayManage(member, file.ownerId)) {
    throw new WisError("forbidden", {
      say: "Only the owner of this file and moderators may post it.",
      hint: "Hand its link on instead.",
    });
  }
  if (!fitsInline(file, attachmentLimit)) {
    throw new WisError("file.too_large", {
      say: "This file is more than you may attach here.",
      hint: "Hand its link on instead.",
    });
  }
}
