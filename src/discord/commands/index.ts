import type { Button, Command } from "./command.ts";
import { fileButtons, files } from "./files.ts";
import { help } from "./help.ts";
import { llm, stopAnswer } from "./llm.ts";
import { postFile } from "./post.ts";
import { revokeToken, token } from "./token.ts";
import { deleteFile, extendFile, upload } from "./upload.ts";

export const commands = [help, upload, files, token, llm] satisfies Command[];
export const buttons = [
  deleteFile,
  extendFile,
  postFile,
  ...fileButtons,
  revokeToken,
  stopAnswer,
] satisfies Button[];
