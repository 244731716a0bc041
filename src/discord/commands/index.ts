import { answerButtons } from "./answer-buttons.ts";
import { askAbout } from "./ask-about.ts";
import { clear } from "./clear.ts";
import type { Button, CommandGroup, MessageCommand, Modal } from "./command.ts";
import { exportMine } from "./export.ts";
import { fileButtons, files } from "./files.ts";
import { forget, forgetMe } from "./forget.ts";
import { help } from "./help.ts";
import { history, historyButtons } from "./history.ts";
import { llm, stopAnswer } from "./llm.ts";
import { model, pullModel } from "./model.ts";
import { persona, personaButtons, personaForm } from "./persona.ts";
import { postFile } from "./post.ts";
import { settings } from "./settings.ts";
import { status } from "./status.ts";
import { revokeToken, token } from "./token.ts";
import { deleteFile, extendFile, upload } from "./upload.ts";

/** As help shows them. */
export const commandGroups = [
  { title: "Ask", commands: [llm, model, clear, status] },
  { title: "Share files", commands: [upload, files, token] },
  { title: "What is known of you", commands: [history, exportMine, forget] },
  { title: "This place", commands: [persona, settings, help] },
] satisfies CommandGroup[];
export const commands = commandGroups.flatMap((group) => group.commands);
export const buttons = [
  deleteFile,
  extendFile,
  postFile,
  ...fileButtons,
  revokeToken,
  stopAnswer,
  ...answerButtons,
  pullModel,
  ...personaButtons,
  forgetMe,
  ...historyButtons,
] satisfies Button[];
export const modals = [personaForm] satisfies Modal[];
/** In a message's menu, under Apps. */
export const messageCommands = [askAbout] satisfies MessageCommand[];
