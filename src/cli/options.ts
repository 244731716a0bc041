import { InvalidArgumentError, Option } from "commander";

// What options of several commands take.

function owner(text: string): string {
  if (/^\S{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError(
    "Expected a Discord user id or a name without spaces, of at most 64 characters.",
  );
}

/** Reads a whole number from 1 to `max`. */
export const wholeNumber = (max: number) => (text: string) => {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= max) return number;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${max}.`);
};

export const jsonOption = () => new Option("--json", "answer for scripts").default(false);
export const ownerOption = () => new Option("--owner <id>", "Discord user id, or a name").argParser(owner);
