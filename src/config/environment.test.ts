import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ConfigFolder, openConfigFolder } from "../testing/config-folder.ts";

let at: ConfigFolder;
beforeEach(() => {
  at = openConfigFolder();
});
afterEach(() => at[Symbol.dispose]());

describe("the environment", () => {
  test("beats the file, and a flag beats the environment", async () => {
    at.write("web: { port: 1000, host: 10.0.0.1 }\nlog: { level: warn }");
    const env = { WISBOT_WEB__PORT: "2000", WISBOT_LOG__LEVEL: "error" };
    expect((await at.load()).config.web.port).toBe(1000);
    expect((await at.load(env)).config.web.port).toBe(2000);
    const { config, publicUrl } = await at.load(env, {
      port: 0,
      host: "::1",
      logLevel: "debug",
      logFormat: "json",
    });
    expect(config.web).toMatchObject({ port: 0, host: "::1" });
    expect(config.log).toEqual({ level: "debug", format: "json" });
    expect(publicUrl).toBe("http://localhost:0");
  });

  test("gives any key: numbers, sizes, lists, hosts, and text that looks like none", async () => {
    const { config } = await at.load({
      WISBOT_FILES__MAX_FILE_SIZE: "3GB",
      WISBOT_DISCORD__GUILD_IDS: "[123456789012345678]",
      WISBOT_LLM__HOSTS: "[{ name: gpu, url: 'http://gpu-box:11434', slots: 4 }]",
      WISBOT_LLM__MODEL: "8",
      WISBOT_TELEMETRY__METRICS: "false",
      WISBOT_TELEMETRY__METRICS_TOKEN: "#a:b",
    });
    expect(config.files.max_file_size).toBe(3e9);
    expect(config.discord.guild_ids).toEqual(["123456789012345678"]);
    expect(config.llm.hosts).toMatchObject([
      { name: "gpu", kind: "ollama", url: "http://gpu-box:11434", slots: 4 },
    ]);
    expect(config.llm.model).toBe("8");
    expect(config.telemetry).toMatchObject({ metrics: false, metrics_token: "#a:b" });
  });

  test("set to nothing counts as not set", async () => {
    at.write("web: { port: 1000 }");
    const { config } = await at.load({
      WISBOT_WEB__PORT: "",
      OLLAMA_HOST: "",
      WISBOT_CONFIG: "",
      DISCORD_TOKEN: " ",
    });
    expect(config.web.port).toBe(1000);
  });

  test("is told its own mistakes beside those of the file", async () => {
    at.write("web: { port: no }");
    const env = {
      WISBOT_FILES__MAX_FILE_SIZE: "0",
      WISBOT_WEB__HSOT: "x",
      WISBOT_LOG_LEVEL: "info",
      WISBOT_SERVICE_HOST: "10.0.0.1",
      WISBOT_PORT: "tcp://10.0.0.1:80",
    };
    expect((await at.refusal(env)).lines).toEqual([
      'web.port: expected a port from 1 to 65535, got "no" (config.yaml:1)',
      "WISBOT_WEB__HSOT: expected WISBOT_WEB__HOST, got an unknown variable ($WISBOT_WEB__HSOT)",
      "WISBOT_LOG_LEVEL: expected WISBOT_LOG__LEVEL, got an unknown variable ($WISBOT_LOG_LEVEL)",
      "files.max_file_size: expected a size above zero such as 250MB or 2GiB, got 0 ($WISBOT_FILES__MAX_FILE_SIZE)",
    ]);
  });

  test("is what the hint names when only it is wrong", async () => {
    const { hint } = await at.refusal({ WISBOT_WEB__PORT: "0" });
    expect(hint).toBe("Correct the environment, then run: wisbot doctor --only config.valid");
  });

  test("stands in the file by its name in braces", async () => {
    at.write(
      [
        "web:",
        `  port: \${PORT}`,
        `  public_url: https://\${NAME}.example/$\${NAME}/`,
        "discord:",
        `  token: \${T}`,
      ].join("\n"),
    );
    const { config, publicUrl, discordToken } = await at.load({ PORT: "9000", NAME: "files", T: "123" });
    expect(config.web.port).toBe(9000);
    expect(publicUrl).toBe(`https://files.example/\${NAME}`);
    expect(discordToken).toBe("123");
  });

  test("stands in the file by a secret's file too: NAME_FILE's, or systemd's credential of that name", async () => {
    at.write(`llm:\n  hosts:\n    - { kind: openai, headers: { Authorization: "Bearer \${VLLM_KEY}" } }`);
    const secret = join(at.path, "VLLM_KEY");
    writeFileSync(secret, "s3cret\n");
    for (const env of [{ VLLM_KEY_FILE: secret }, { CREDENTIALS_DIRECTORY: at.path }]) {
      const { config } = await at.load(env);
      expect(config.llm.hosts[0]?.headers).toEqual({ Authorization: "Bearer s3cret" });
    }
    expect((await at.refusal({ VLLM_KEY_FILE: `${secret}s` })).lines).toEqual([
      expect.stringContaining(`expected the environment variable VLLM_KEY, got ${secret}s: `),
    ]);
  });

  test("that the file asks for and is not there is named with its key", async () => {
    at.write(`web:\n  host: \${NOPE}\n  public_url: https://\${}/`);
    expect((await at.refusal()).lines).toEqual([
      "web.host: expected the environment variable NOPE, got no such variable (config.yaml:2)",
      "web.public_url: expected a variable's name between the braces, got something else (config.yaml:3)",
    ]);
  });

  test("names the Ollama of every host that has no url", async () => {
    at.write("llm: { hosts: [{ name: a }, { name: b, url: 'http://b:1' }] }");
    const urls = async (env: Record<string, string>) =>
      (await at.load(env)).config.llm.hosts.map(({ url }) => url);
    expect(await urls({ OLLAMA_HOST: "0.0.0.0" })).toEqual(["http://127.0.0.1:11434", "http://b:1"]);
    at.write("llm: { model: x }");
    expect(await urls({ OLLAMA_HOST: "gpu-box:9999" })).toEqual(["http://gpu-box:9999"]);
    expect((await at.refusal({ OLLAMA_HOST: "no way" })).lines).toEqual([
      'llm.hosts[0].url: expected an address such as 127.0.0.1:11434 or http://gpu-box:11434, got "no way" ($OLLAMA_HOST)',
    ]);
  });
});
