import type { Serve } from "../serve.ts";
import { type Crowd, createCrowd, type Deeds } from "./crowd.ts";
import { createDice, type Dice } from "./dice.ts";
import { type Instance, openInstance } from "./instance.ts";
import { expectSum, expectVerified, settle } from "./judge.ts";
import { createLine, type Line } from "./line.ts";
import { OWNER, type Share } from "./shares.ts";

export interface StormInput {
  /** How often `serve` is killed. */
  kills: number;
  seed: number;
  onKill?(kills: number): void;
}

export interface StormReport extends Deeds {
  kills: number;
  /** Of them, before it was ready. */
  killsAtStart: number;
  /** Commands that were killed in the middle of a removal. */
  commandsKilled: number;
  removed: number;
  expired: number;
  /** From a start behind a kill to the ready line, milliseconds. */
  slowestStart: number;
  seconds: number;
}

/** Fresh links for each kill: more than there is time for. */
const LINKS_A_KILL = 12;

/**
 * Kills a real `wisbot serve` again and again while people send, remove and download, and holds it to everything that
 * it has acknowledged. Throws what was not so.
 */
export async function runStorm({ kills, seed, onKill }: StormInput): Promise<StormReport> {
  await using instance = await openInstance();
  const started = performance.now();
  const dice = createDice(seed);
  const links = await instance.links(OWNER, kills * LINKS_A_KILL);
  const victim = createVictim(instance, dice, onKill);
  const line = createLine({ url: instance.url, dice, isUp: victim.isUp });
  const crowd = createCrowd({ line, links, dice, isUp: victim.isUp });
  let commandsKilled = 0;

  while (victim.kills() < kills) {
    await victim.start({ mayDie: victim.kills() < kills - 1 });
    const working = crowd.work();
    const removal = dice.percent(40) ? startRemoval(instance, crowd.shares, dice) : undefined;
    // What goes wrong is heard of at once, and not when everybody else is done.
    await Promise.race([working, Bun.sleep(dice.upTo(500))]);
    await victim.kill();
    await working;
    if (await removal?.end(dice.percent(50))) commandsKilled += 1;
  }

  const serve = await victim.start({ mayDie: false });
  const judged = await judge(instance, line, crowd);
  await serve.kill("SIGTERM");
  await expectSum(instance, crowd.shares);
  const seconds = Math.round((performance.now() - started) / 1000);
  return { kills: victim.kills(), ...victim.figures(), commandsKilled, ...crowd.deeds, ...judged, seconds };
}

/** A `serve` that is killed. */
function createVictim(instance: Instance, dice: Dice, onKill: StormInput["onKill"]) {
  let serve: Serve | undefined;
  let kills = 0;
  let killsAtStart = 0;
  let slowestStart = 0;

  async function kill(): Promise<void> {
    const dying = serve;
    serve = undefined;
    await dying?.kill("SIGKILL");
    kills += 1;
    onKill?.(kills);
  }

  /** One that may die now and then does not get so far that it is ready. */
  async function start({ mayDie }: { mayDie: boolean }): Promise<Serve> {
    const begun = performance.now();
    const fresh = instance.spawn();
    if (mayDie && dice.percent(20)) {
      await Bun.sleep(dice.upTo(300));
      serve = fresh;
      await kill();
      killsAtStart += 1;
      return await start({ mayDie: false });
    }
    await fresh.ready();
    slowestStart = Math.max(slowestStart, Math.round(performance.now() - begun));
    serve = fresh;
    return fresh;
  }

  return {
    start,
    kill,
    isUp: () => serve !== undefined,
    kills: () => kills,
    figures: () => ({ killsAtStart, slowestStart }),
  };
}

/** `files rm` of a share, as a process of its own. */
function startRemoval(instance: Instance, shares: Share[], dice: Dice) {
  const share = dice.pick(shares.filter(({ state }) => state === "kept"));
  if (!share) return undefined;
  share.state = "leaving";
  const child = instance.command("files", "rm", share.id, "--json");
  return {
    /** Gives whether it was killed in the middle of it. */
    async end(kill: boolean): Promise<boolean> {
      if (kill) child.kill("SIGKILL");
      const said = await new Response(child.stdout).text();
      await child.exited;
      if (said !== "" && JSON.parse(said).removed.includes(share.id)) share.state = "removed";
      return child.signalCode !== null;
    },
  };
}

/** Brings everything to its end and holds it against what was acknowledged. */
async function judge(instance: Instance, line: Line, crowd: Crowd) {
  await crowd.finish();
  const { shares } = crowd;
  for (const share of shares) await settle(instance, line, share);
  await instance.run("files", "prune");
  await expectVerified(instance);
  const count = (states: Share["state"][]) => shares.filter(({ state }) => states.includes(state)).length;
  return { removed: count(["leaving", "removed"]), expired: count(["fleeting"]) };
}
