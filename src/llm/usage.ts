import { WisError } from "../errors.ts";
import type { Now } from "../lib/clock.ts";
import { formatDuration } from "../lib/duration.ts";
import type { Limits, LlmLimits } from "../members/limits.ts";
import type { Member } from "../members/member.ts";
import type { Telemetry } from "../telemetry/ports.ts";
import type { Allowed } from "./llm.ts";
import type { Allowance, UsageLog, Used } from "./ports.ts";

/** A question that was counted. */
export interface Counted {
  /** It came to nothing, through no fault of its asker. Never rejects. */
  giveBack(): Promise<void>;
}

/** What members have asked for, and may. */
export interface Usage {
  /** Counts a question before it is asked. [quota.llm] */
  take(member: Member): Promise<Counted>;
  /** A question that an earlier process has counted. `askedAt`: milliseconds since the epoch. */
  counted(userId: string, askedAt: number): Counted;
  /** What an answer took. Never rejects. */
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
  telemetry: Pick<Telemetry, "record">;
  now: Now;
}

export function createUsage({ log, limits, period, nameOf, telemetry, now }: UsageDeps): Usage {
  /** Periods of a day begin at midnight, UTC. */
  const periodOf = (at: number) => Math.floor(at / period) * period;
  const since = () => periodOf(now());
  const resetsAt = () => since() + period;
  const limitsOf = ({ id, asker }: Member): LlmLimits => limits.llm({ ownerId: id, asker });

  /** A count that fails must not take an answer with it. */
  async function count(name: string, begun: number, used: Used): Promise<void> {
    try {
      await log.add(name, begun, used);
    } catch (error) {
      telemetry.record(error, "counting what was asked");
    }
  }

  /** Given back where it was counted: another period may have begun. */
  const counted = (userId: string, askedAt: number): Counted => ({
    giveBack: () => count(nameOf(userId), periodOf(askedAt), { requests: -1, tokens: 0, gpuMs: 0 }),
  });

  return {
    counted,
    async take(member) {
      const { requests, tokens, gpuMs } = limitsOf(member);
      const allowance = { requests, tokens, gpuMs };
      const askedAt = now();
      const { taken, used } = await log.take(nameOf(member.id), periodOf(askedAt), allowance);
      if (!taken) throw usedUp(spentOf(used, allowance), resetsAt() - now());
      return counted(member.id, askedAt);
    },
    add: (member, used) => count(nameOf(member.id), since(), { ...used, requests: 0 }),
    async allowed(member) {
      const { requests, tokens, gpuMs } = limitsOf(member);
      return {
        used: await log.used(nameOf(member.id), since()),
        allowance: {
          ...(requests !== undefined && { requests }),
          ...(tokens !== undefined && { tokens }),
          ...(gpuMs !== undefined && { gpuMs }),
        },
        resetsAt: resetsAt(),
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
