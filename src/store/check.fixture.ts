// A process that runs one of the store's checks, as whatever user it was started, and prints what it found.
import { configSchema } from "../config/schema.ts";
import { storeChecks } from "./checks.ts";

const [, , code, dataDir = ""] = process.argv;
const check = storeChecks({ config: configSchema.parse({}), dataDir }).find((one) => one.code === code);
console.log(JSON.stringify(await check?.run(new AbortController().signal)));
