// A process that takes a data dir's lock, says whether it did, and holds it until stdin ends.
import { lockDataDir } from "./lock.ts";

using lock = lockDataDir(process.argv[2] ?? "");
console.log(lock ? "taken" : "refused");
if (lock) await Bun.stdin.text();
