// Kills a real `wisbot serve` under load, 200 times unless told otherwise, and says what came of it:
// bun scripts/kill.ts [kills] [seed]

import { runStorm } from "../src/testing/kill/storm.ts";

const [kills = "200", seed = String(Date.now() % 2 ** 32)] = process.argv.slice(2);
console.error(`${kills} kills, seed ${seed}`);
const report = await runStorm({
  kills: Number(kills),
  seed: Number(seed),
  onKill: (done) => {
    if (done % 10 === 0) console.error(`  ${done} kills`);
  },
});
console.log(JSON.stringify(report, undefined, 2));
