import { $ } from "bun";
import { offsetOf, tusClient } from "../../src/testing/tus-client.ts";
import { type Bench, type Figure, inTurn, median, ms, percentile } from "./figure.ts";
import { binary, startBuilt, startScript, temporaryFolder } from "./processes.ts";
import { openRawClient } from "./raw-client.ts";

const ROUNDS = 5;
const LENGTH = 4 * 2 ** 20;
const SENT = LENGTH / 4;
/** The request that hangs has begun to be written by then: what was sent must have arrived, or the round does not count. */
const HANGING_MS = 300;
const LIMIT_MS = 500;

const bytes = crypto.getRandomValues(new Uint8Array(65_536));

/**
 * A sender whose network went away leaves a request half open, comes back, and asks how far the upload is: what every
 * resume begins with. Gives how long the answer took, milliseconds, and finishes the upload from there.
 */
async function resume(link: string): Promise<number> {
  const client = tusClient(link);
  const address = await client.begin(LENGTH);
  using hanging = await openRawClient(address);
  await hanging.write(client.patchHead(address, 0, LENGTH));
  for (let sent = 0; sent < SENT; sent += bytes.length) await hanging.write(bytes);
  await Bun.sleep(HANGING_MS);

  const started = performance.now();
  const response = await client.head(address);
  const took = performance.now() - started;
  const offset = offsetOf(response);
  if (!response.ok || offset !== SENT)
    throw new Error(`${response.status}, with ${offset} of ${SENT} bytes here`);
  const rest = await client.patch(address, offset, new Uint8Array(LENGTH - offset));
  if (!rest.ok || offsetOf(rest) !== LENGTH) throw new Error(`going on: ${rest.status} ${await rest.text()}`);
  return took;
}

async function run(): Promise<Figure[]> {
  await using folder = await temporaryFolder();
  await using alone = await startScript("tus-server.ts", { folder: folder.path });
  await using wisbot = await startBuilt({});
  const { ours, baseline } = await inTurn(
    ROUNDS,
    async () => {
      const link: { url: string } = await $`${binary} files link --owner bench --json`
        .cwd(wisbot.folder)
        .quiet()
        .json();
      return await resume(link.url);
    },
    () => resume(`${alone.url}/u/none`),
  );
  const worst = percentile(ours, 1);
  return [
    {
      what: `asking how far an upload is whose last request still hangs, worst of ${ROUNDS}`,
      ours: ms(worst),
      baseline: `@tus/server with its own locker ${ms(median(baseline))}`,
      compared: ms(worst),
      limit: `under ${ms(LIMIT_MS)}`,
      holds: worst < LIMIT_MS,
    },
  ];
}

export const contention: Bench = { name: "contention", run };
