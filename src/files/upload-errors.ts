import { WisError } from "../errors.ts";
import { count } from "../lib/count.ts";

export function tooSlow(): WisError {
  return new WisError("upload.slow", {
    say: "The file arrived too slowly, so the upload was ended.",
    hint: "Send it again over a better connection: the same link works until it expires.",
  });
}

/** The row went to somebody else, or away, while its upload was going on. */
export function withdrawn(): WisError {
  return new WisError("upload.cut", {
    say: "The upload was withdrawn while it was going on.",
    hint: "Send it again, or ask for a new link with /wis upload.",
  });
}

export function bundleFull(expected: number): WisError {
  return new WisError("share.invalid", {
    say: `This bundle was announced with ${count(expected, "file")}, and they are all here or on their way.`,
    hint: "Wait until they are here, or ask for a new link with /wis upload.",
  });
}

export function unknownUpload(): WisError {
  return new WisError("upload.unknown", {
    say: "There is no such upload. It may have been cancelled, or waited too long to go on.",
    hint: "Send the file again from its start.",
  });
}

export function alreadyFinished(): WisError {
  return new WisError("upload.finished", {
    say: "This upload is finished, and what is finished can't be changed.",
    hint: "Delete the file with its card in Discord, or send another one.",
  });
}

export function wrongOffset(received: number, offset: number): WisError {
  return new WisError("upload.offset", {
    say: `The upload goes on at byte ${received}, not at ${offset}.`,
    hint: "Ask where it stands, and go on from there.",
  });
}

export function beingSent(): WisError {
  return new WisError("ticket.busy", {
    say: "This file is being sent right now.",
    hint: "Wait until the upload has ended, then try again.",
  });
}
