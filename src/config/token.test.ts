import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type ConfigFolder, openConfigFolder } from "../testing/config-folder.ts";

const TOKEN = ["MTIzNDU2Nzg5MDEyMzQ1Njc4", "GabcdE", "abcdefghijklmnopqrstuvwxyz0123456789ab"].join(".");

let at: ConfigFolder;
beforeEach(() => {
  at = openConfigFolder();
});
afterEach(() => at[Symbol.dispose]());

describe("the bot token", () => {
  const token = async (env: Record<string, string> = {}) => (await at.load(env)).discordToken;

  test("comes from the environment, the config, its file or systemd, in this order", async () => {
    const credentials = join(at.path, "credentials");
    mkdirSync(credentials);
    expect(await token({ CREDENTIALS_DIRECTORY: credentials })).toBeUndefined();
    at.write("from-systemd\n", "credentials/discord-token");
    expect(await token({ CREDENTIALS_DIRECTORY: credentials })).toBe("from-systemd");
    at.write("from-file\n", "token");
    at.write("discord: { token_file: token }");
    expect(await token({ CREDENTIALS_DIRECTORY: credentials })).toBe("from-file");
    expect(await token({ DISCORD_TOKEN: " from-env\n" })).toBe("from-env");
    at.write("discord: { token: from-config }");
    expect(await token({ CREDENTIALS_DIRECTORY: credentials })).toBe("from-config");
    expect(await token({ WISBOT_DISCORD__TOKEN_FILE: "token" })).toBe("from-file");
    expect(await token({ DISCORD_TOKEN: "a", WISBOT_DISCORD__TOKEN: "b" })).toBe("b");
  });

  test("in a file that is not there, or given twice, is a problem like any other", async () => {
    at.write("discord:\n  token_file: nope\nweb: { port: 0 }");
    expect((await at.refusal()).lines).toEqual([
      `discord.token_file: expected a file with the bot token, got ${at.path}/nope: no such file (config.yaml:2)`,
      "web.port: expected a port from 1 to 65535, got 0 (config.yaml:3)",
    ]);
    at.write("discord:\n  token: a\n  token_file: b\n");
    expect((await at.refusal()).lines).toEqual([
      "discord.token_file: expected nothing beside discord.token, got both (config.yaml:3)",
    ]);
  });

  test("in a file that others can read is refused with the chmod to run", async () => {
    const file = at.write(`discord:\n  token: ${TOKEN}\n`, "config.yaml", 0o644);
    expect(await at.refusal()).toEqual({
      code: "config.invalid",
      hint: `Run: chmod 600 ${file}`,
      lines: [
        "discord.token: expected a file that only its owner can read, got one that others can read (mode 0644) (config.yaml:2)",
      ],
    });
    chmodSync(file, 0o640);
    expect(await token()).toBe(TOKEN);
    at.write(`discord: { token: '\${T}' }`, "config.yaml", 0o644);
    expect(await token({ T: TOKEN })).toBe(TOKEN);
  });

  test("is never shown, wherever it was put and whatever is wrong with it", async () => {
    const wrong = [
      `discord: { token: "${TOKEN} x" }`,
      `discord: { token: [${TOKEN}] }`,
      `discord: ${TOKEN}`,
      `web: { port: ${TOKEN} }`,
      `discord:\n  token: "${TOKEN}\\q"\n`,
      `discord:\n  token: *${TOKEN}\n`,
      `discord:\n  token: !${TOKEN} x y\n`,
      `discord:\n  token: @${TOKEN}\n`,
      `discord:\n  token: ${TOKEN}: ${TOKEN}\n`,
      `discord:\ntoken ${TOKEN}\n`,
      `discord:\n  token: "${TOKEN}\n`,
      `- ${TOKEN}`,
      `telemetry: { otlp_endpoint: "ftp://me:${TOKEN}@host" }`,
      `web: { port: "\${SECRET}" }`,
    ];
    for (const text of wrong) {
      at.write(text);
      const { lines } = await at.refusal({ SECRET: TOKEN });
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.join("\n")).not.toContain(TOKEN.slice(8, 30));
    }
  });
});

test("every other secret is kept from others like the bot token, however deep it stands", async () => {
  const s3 = (id: string, secret: string) =>
    [
      "files:",
      "  s3:",
      "    endpoint: https://s3.example",
      "    bucket: files",
      `    access_key_id: ${id}`,
      `    secret_access_key: ${secret}`,
    ].join("\n");
  const text = `${s3("KEY_OF_OURS", "not-for-everybody")}\ntelemetry:\n  metrics_token: not-for-everybody
llm:
  hosts: [{ kind: openai, headers: { Authorization: Bearer not-for-everybody } }]\n`;
  const file = at.write(text, "config.yaml", 0o644);
  const exposed = "a file that only its owner can read, got one that others can read (mode 0644)";
  const refusal = await at.refusal();
  expect(refusal.hint).toBe(`Run: chmod 600 ${file}`);
  expect(refusal.lines).toEqual([
    `files.s3.access_key_id: expected ${exposed} (config.yaml:5)`,
    `files.s3.secret_access_key: expected ${exposed} (config.yaml:6)`,
    `telemetry.metrics_token: expected ${exposed} (config.yaml:8)`,
    `llm.hosts[0].headers.Authorization: expected ${exposed} (config.yaml:10)`,
  ]);
  chmodSync(file, 0o600);
  expect((await at.load()).config.files.s3?.secret_access_key).toBe("not-for-everybody");
  at.write(s3(`\${ID}`, `\${SECRET}`), "config.yaml", 0o644);
  const { config } = await at.load({ ID: "id", SECRET: "from-outside" });
  expect(config.files.s3?.secret_access_key).toBe("from-outside");
});
