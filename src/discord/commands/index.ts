import type { Button, Command } from "./command.ts";
import { help } from "./help.ts";
import { llm, stopAnswer } from "./llm.ts";
import { deleteFile, extendFile, upload } from "./upload.ts";

export const commands = [help, upload, llm] satisfies Command[];
export const buttons = [deleteFile, extendFile, stopAnswer] satisfies Button[];
