import type { Dice } from "./dice.ts";
import { expectStatus, type Line } from "./line.ts";
import { createPlanner, type Plan } from "./plans.ts";
import { GONE } from "./senders.ts";
import { isWhole, type Share } from "./shares.ts";

/** What a crowd has done so far. */
export interface Deeds {
  plain: number;
  inParts: number;
  bundles: number;
  /** How often somebody went on with what was cut. */
  resumed: number;
  /** Whole ones. */
  downloads: number;
  /** Acknowledged. */
  bytes: number;
}

/** People who send, go on with what was cut, and download what others have sent. */
export interface Crowd {
  readonly shares: Share[];
  readonly deeds: Deeds;
  /** Works until the line breaks. */
  work(): Promise<void>;
  /** Brings everything that is begun to its end. */
  finish(): Promise<void>;
}

const SENDERS = 6;

export function createCrowd(input: { line: Line; links: string[]; dice: Dice; isUp(): boolean }): Crowd {
  const { line, links, dice, isUp } = input;
  const shares: Share[] = [];
  const deeds: Deeds = { plain: 0, inParts: 0, bundles: 0, resumed: 0, downloads: 0, bytes: 0 };
  const waiting: Plan[] = [];
  const planFor = createPlanner(dice);

  function acknowledged({ kind, parts, sender, isFleeting }: Plan, url: string): void {
    if (url === GONE && !isFleeting) throw new Error("a share was gone before it was acknowledged");
    deeds[kind] += 1;
    deeds.resumed += sender.resumed();
    deeds.bytes += parts.reduce((sum, { size }) => sum + size, 0);
    shares.push({ url, id: url.split("/f/")[1] ?? "", parts, state: isFleeting ? "fleeting" : "kept" });
  }

  /** Sends what `next` gives, one after the other, until the line breaks. */
  async function send(next: () => Plan | undefined): Promise<void> {
    for (let plan = next(); plan; plan = next()) {
      const isReady = !plan.isFleeting || plan.sender.resumed() > 0 || (await makeFleeting(line, plan.link));
      const url = isReady ? await plan.sender.send(line) : undefined;
      if (url === undefined) {
        waiting.push(plan);
        return;
      }
      acknowledged(plan, url);
    }
  }

  function oldOrNew(): Plan | undefined {
    const link = waiting.length > 0 ? undefined : links.pop();
    return link === undefined ? waiting.shift() : planFor(link);
  }

  async function download(): Promise<void> {
    while (isUp()) {
      const share = dice.pick(shares.filter(({ state }) => state === "kept"));
      if (!share) await Bun.sleep(10);
      else if (await isWhole(line, share)) deeds.downloads += 1;
    }
  }

  return {
    shares,
    deeds,
    async work() {
      await Promise.all([...Array.from({ length: SENDERS }, () => send(oldOrNew)), download()]);
    },
    finish: () => send(() => waiting.shift()),
  };
}

/** Lets a share expire as soon as it is there; false when the line broke. */
async function makeFleeting(line: Line, link: string): Promise<boolean> {
  const body = new TextEncoder().encode('{"expires": "1s"}');
  const headers = { "content-type": "application/json" };
  const answer = await line.ask(`${link}/settings`, { method: "POST", headers, body });
  if (answer) expectStatus(answer, [204], "the settings of a share");
  return answer !== undefined;
}
