import { WisError } from "../errors.ts";
import type { Now } from "../lib/clock.ts";
import { formatDuration } from "../lib/duration.ts";
import type { Limits, LlmLimits } from "../members/limits.ts";
import type { Member } from "../members/member.ts";
import type { Allowed } from "./llm.ts";
import type { Allowance, UsageLog, Used } from "./ports.ts";

/** What members have asked for, and may. */
export interface Usage {
  /** Counts a question before it is asked. [quota.llm] */
  take(member: Member): Promise<void>;
  /** It came to nothing, through no fault of its asker. */
  giveBack(member: Member): Promise<void>;
  /** What an answer took. */
  add(member: Member, used: Pick<Used, "tokens" | "gpuMs">): Promise<void>;
  allowed(member: Member): Promise<Allowed>;
}

export interface UsageDeps {
  log: UsageLog;
  limits: Pick<Limits, "llm">;
  /** Milliseconds. */
  period: number;
  /**
   * A keyed hash of who asks: the count outlives `forget`, so that nobody gets a new quota by being forgotten, and says
   * nothing of whose it is.
   */
  nameOf(userId: string): string;
  now: Now;
}

export function createUsage({ log, limits, period, nameOf, now }: UsageDeps): Usage {
  /** Periods of a day begin at midnight, UTC. */
  const since = () => Math.floor(now() / period) * period;
  const limitsOf = ({ id, asker }: Member): LlmLimits => limits.llm({ ownerId: id, asker });

  return {
    async take(member) {
      const { requests, tokens, gpuMs } = limitsOf(member);
      const allowance = { requests, tokens, gpuMs };
      const { taken, used } = await log.take(nameOf(member.id), since(), allowance);
      if (!taken) throw usedUp(spentOf(used, allowance), since() + period - now());
    },
    giveBack: (member) => log.add(nameOf(member.id), since(), { requests: -1, tokens: 0, gpuMs: 0 }),
    add: (member, used) => log.add(nameOf(member.id), since(), { ...used, requests: 0 }),
    async allowed(member) {
      const { requests, tokens, gpuMs } = limitsOf(member);
      return {
        used: await log.used(nameOf(member.id), since()),
        allowance: {
          ...(requests !== undefined && { requests }),
          ...(tokens !== undefined && { tokens }),
          ...(gpuMs !== undefined && { gpuMs }),
        },
        resetsAt: since() + period,
      };
    },
  };
}

/** What there is no more of, for its person. */
function spentOf(used: Used, { requests, tokens, gpuMs }: Allowance): string {
  if (requests !== undefined && used.requests >= requests) return `${requests} questions`;
  if (tokens !== undefined && used.tokens >= tokens) return `${tokens} tokens`;
  return `${formatDuration(gpuMs ?? 0)} of the model server's time`;
}

function usedUp(spent: string, resetsInMs: number): WisError {
  // Whole minutes: nobody waits for the second.
  const wait = formatDuration(Math.max(1, Math.ceil(resetsInMs / 60_000)) * 60_000);
  return new WisError("quota.llm", {
    say: `You have used all that you may ask for at the moment: ${spent}.`,
    hint: `Ask again in ${wait}; /wis history shows what you have used.`,
  });
}
