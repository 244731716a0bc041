import { expect, test } from "bun:test";
import { secretsOf } from "./loaded.ts";
import { configSchema } from "./schema.ts";

test("the headers of every host are secrets, and so is a key behind its scheme", () => {
  const hosts = [
    { name: "a", headers: { Authorization: "Bearer sk-0123456789" } },
    { name: "b", headers: { "X-Key": "hunter2hunter2" } },
  ];
  const config = configSchema.parse({ llm: { hosts } });
  const loaded = { config, file: undefined, dataDir: "/", publicUrl: "", discordToken: undefined };
  const secrets = ["Bearer sk-0123456789", "sk-0123456789", "hunter2hunter2"];
  expect(secretsOf(loaded)).toEqual(expect.arrayContaining(secrets));
});
