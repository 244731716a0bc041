import { ApplicationCommandOptionType } from "discord.js";
import { isWisError, WisError } from "../../errors.ts";
import type { StoredFile } from "../../files/ports.ts";
import { type Member, mayManage } from "../../members/member.ts";
import { expiringCard, goneCard } from "../cards.ts";
import {
  type FileListDeps,
  fileAndPlaceIn,
  fileHistory,
  fileList,
  HISTORY,
  pageUpTo,
  placeIn,
} from "../file-list.ts";
import { giveUpUnfinished } from "../unfinished.ts";
import type { Asking, Button, Command, CommandDeps } from "./command.ts";

export const files: Command = {
  name: "files",
  description: "Your files: what they take, their links, more time, deletion",
  options: [
    {
      type: ApplicationCommandOptionType.Boolean,
      name: "reminders",
      description: "Whether you get a direct message before a file of yours goes",
    },
  ],
  help: () => "your files: links, more time, deletion",

  async run({ files, now }, { interaction, member, reply }) {
    const reminders = interaction.options.getBoolean("reminders");
    await reply.defer({ ephemeral: true });
    if (reminders === null) {
      await reply.show(await fileList({ files, now }, member));
      return;
    }
    await files.setReminders(member.id, reminders);
    await reply.show({ content: reminders ? REMINDED : NOT_REMINDED });
  },
};

const REMINDED =
  "You will get a direct message before a file of yours goes. `/wis files reminders:False` turns that off.";
const NOT_REMINDED =
  "You will get no direct message any more when a file of yours is about to go. `/wis files reminders:True` turns that on again.";

const olderFiles: Button = {
  kind: "files:older",
  async run({ files, now }, { member, reply }, argument) {
    await reply.acknowledge();
    await reply.show(await fileList({ files, now }, member, { after: placeIn(argument) }));
  },
};

const newerFiles: Button = {
  kind: "files:newer",
  async run({ files, now }, { member, reply }, argument) {
    await reply.acknowledge();
    const end = placeIn(argument);
    await reply.show(
      await fileList({ files, now }, member, { after: end && (await pageUpTo(files, member, end)) }),
    );
  },
};

const linkToFile: Button = {
  kind: "files:link",
  async run({ files }, { member, reply }, id) {
    await reply.acknowledge();
    const { url } = await ownFile(files, member, id);
    // Nothing but the link, so that a long press on a phone copies it.
    await reply.more({ content: url }, { ephemeral: true, plainLinks: true });
  },
};

const historyOfFile: Button = {
  kind: "files:history",
  async run({ files }, { member, reply }, id) {
    await reply.acknowledge();
    const { name } = await ownFile(files, member, id);
    const entries = await files.audit({ fileId: id, limit: HISTORY });
    await reply.more(fileHistory(name, entries), { ephemeral: true });
  },
};

const extendListed: Button = {
  kind: "files:extend",
  run: (deps, asking, argument) =>
    changeListed(deps, asking, argument, (id) => deps.files.extend(id, asking.member)),
};

const deleteListed: Button = {
  kind: "files:delete",
  run: (deps, asking, argument) =>
    changeListed(deps, asking, argument, (id) => deps.files.remove(id, asking.member)),
};

/** Once more it is asked what is unfinished: the list may be hours old. */
const giveUp: Button = {
  kind: "files:unfinished",
  async run({ files, now }, { member, reply }) {
    await reply.acknowledge();
    const { stays } = await giveUpUnfinished(files, member);
    const trouble = stays ? { trouble: "What is being sent at this moment stays." } : {};
    await reply.show(await fileList({ files, now }, member, trouble));
  },
};

/** Changes a file, and shows its page of the list as it is then. */
async function changeListed(
  deps: FileListDeps,
  { member, reply }: Asking,
  argument: string,
  change: (id: string) => Promise<unknown>,
): Promise<void> {
  await reply.acknowledge();
  const { id, after } = fileAndPlaceIn(argument);
  try {
    await change(id);
  } catch (error) {
    if (!isWisError(error, "file.unknown")) throw error;
    await reply.show(await fileList(deps, member, { after, trouble: error.say }));
    return;
  }
  await reply.show(await fileList(deps, member, { after }));
}

/** The button of the message that tells of a file about to go. */
const quietFile: Button = {
  kind: "file:quiet",
  async run({ files }, { member, reply }, id) {
    await reply.acknowledge();
    const file = await ownFile(files, member, id).catch((error: unknown) => {
      if (isWisError(error, "file.unknown")) return undefined;
      throw error;
    });
    await files.setReminders(member.id, false);
    await reply.show(file ? expiringCard(file, { quiet: true }) : goneCard(NOT_REMINDED));
  },
};

async function ownFile(files: CommandDeps["files"], member: Member, id: string): Promise<StoredFile> {
  const file = await files.get(id);
  if (mayManage(member, file.ownerId)) return file;
  throw new WisError("forbidden", {
    say: "This file belongs to somebody else.",
    hint: "Run /wis files to see your own.",
  });
}

export const fileButtons = [
  olderFiles,
  newerFiles,
  linkToFile,
  historyOfFile,
  extendListed,
  deleteListed,
  giveUp,
  quietFile,
];
