import { isWisError, WisError } from "../../errors.ts";
import type { Files } from "../../files/files.ts";
import type { StoredFile } from "../../files/ports.ts";
import { type Member, mayManage } from "../../members/member.ts";
import { fileCard, goneCard } from "../cards.ts";
import { fitsInline } from "../inline.ts";
import type { Button } from "./command.ts";

/** "Post it here": the file itself as an attachment below its card. */
export const postFile: Button = {
  kind: "file:post",
  async run({ files }, { interaction, member, reply }, id) {
    await reply.acknowledge();
    const file = await fileToPost(files, id);
    if (!file) {
      await reply.show(goneCard("This file is gone."));
      return;
    }
    refuse(file, member, interaction.attachmentSizeLimit);
    // Before it takes its time: who presses twice does not post twice.
    await reply.show(fileCard(file, { post: "posting" }));
    try {
      const { name, contentType } = file;
      const data = await (await files.open(file)).bytes();
      await reply.more({ file: { name, contentType, data } });
    } catch (error) {
      // What goes wrong with this as well goes with the error that led here.
      await Promise.allSettled([reply.show(fileCard(file, { post: "offered" }))]);
      throw error;
    }
    await reply.show(fileCard(file));
  },
};

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
