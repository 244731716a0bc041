import type { Dice } from "./dice.ts";
import { bundleSender, partsSender, plainSender, type Sender } from "./senders.ts";
import { type Part, partOf } from "./shares.ts";

/** What somebody sends, and what it will be. */
export interface Plan {
  kind: "plain" | "inParts" | "bundles";
  sender: Sender;
  parts: Part[];
  /** `/u/TICKET`. */
  link: string;
  /** It expires as soon as it is there. */
  isFleeting: boolean;
}

interface One {
  kind: "plain" | "inParts";
  sender: Sender;
  part: Part;
}

/** Small ones mostly, and some that take a while. */
function someBytes(dice: Dice): Uint8Array<ArrayBuffer> {
  if (dice.percent(60)) return dice.bytes(1 + dice.upTo(60_000));
  return dice.bytes(dice.percent(80) ? 100_000 + dice.upTo(900_000) : 2_000_000 + dice.upTo(3_000_000));
}

/** Thinks out what to do with a link. */
export function createPlanner(dice: Dice): (link: string) => Plan {
  // Now and then the same bytes again: they are shared, whatever dies meanwhile.
  const known = dice.bytes(50_000);

  function one(link: string, name: string): One {
    const bytes = dice.percent(15) ? known : someBytes(dice);
    const given = { link, name, bytes };
    const part = partOf(name, bytes);
    if (dice.percent(40)) return { kind: "plain", sender: plainSender(given), part };
    return { kind: "inParts", sender: partsSender(given, dice), part };
  }

  function bundle(link: string): Plan {
    const members = Array.from({ length: 2 + dice.upTo(3) }, (_, at) => one(link, `${at}.bin`));
    const senders = members.map(({ sender }) => sender);
    const parts = members.map(({ part }) => part);
    return { kind: "bundles", sender: bundleSender(link, senders, dice), parts, link, isFleeting: false };
  }

  return (link) => {
    if (dice.percent(25)) return bundle(link);
    const { kind, sender, part } = one(link, "file.bin");
    return { kind, sender, parts: [part], link, isFleeting: kind === "plain" && dice.percent(30) };
  };
}
