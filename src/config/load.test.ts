import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { isWisError } from "../errors.ts";
import { type ConfigFlags, defaultConfig, loadConfig } from "./load.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wisbot-config-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const TOKEN = ["MTIzNDU2Nzg5MDEyMzQ1Njc4", "GabcdE", "abcdefghijklmnopqrstuvwxyz0123456789ab"].join(".");

function write(text: string, name = "config.yaml", mode = 0o600): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

const load = (env: Record<string, string> = {}, flags: ConfigFlags = {}) =>
  loadConfig({ flags, env: { HOME: folder, ...env }, cwd: folder });

async function refusal(env: Record<string, string> = {}, flags: ConfigFlags = {}) {
  const error = await load(env, flags).catch((caught: unknown) => caught);
  if (!isWisError(error)) throw new Error("expected the config to be refused");
  return {
    code: error.code,
    hint: error.hint,
    lines: error.say
      .split("\n")
      .slice(1)
      .map((line) => line.trim()),
  };
}

describe("a file", () => {
  test("that says nothing means the defaults", async () => {
    for (const text of [
      "",
      "\n",
      "# only a comment\n",
      "---\n",
      "web:\n",
      "web:\n  port:\ndiscord:\n  token:\n",
    ]) {
      write(text);
      expect((await load()).config).toEqual(defaultConfig(folder).config);
    }
  });

  test("gives sizes in bytes, durations in milliseconds and ids as text", async () => {
    write(
      "files: { max_file_size: 1.5GiB, max_bytes_per_user: 4096 }\nllm: { timeout: 500ms }\ndiscord: { guild_ids: [123456789012345678] }",
    );
    const { config } = await load();
    expect(config.files.max_file_size).toBe(1.5 * 2 ** 30);
    expect(config.files.max_bytes_per_user).toBe(4096);
    expect(config.llm.timeout).toBe(500);
    expect(config.discord.guild_ids).toEqual(["123456789012345678"]);
  });

  test("is told every bad field at once, with its line", async () => {
    write(
      [
        "wbe: {}",
        "discord:",
        "  guild_ids: [12]",
        "  api: ftp://discord.com",
        "llm:",
        "  hosts:",
        "    - name: a",
        "      slots: 0",
        "    - nmae: b",
        "  timeout: 5",
        "web:",
        "  port: 99999",
        "  prot: 1",
        "files:",
        "  max_file_size: 0MB",
        "  expire_after: -1d",
        "jobs: soon",
        "port: 9000",
        "log: { level: loud }",
      ].join("\n"),
    );
    expect(await refusal()).toEqual({
      code: "config.invalid",
      hint: `Correct ${join(folder, "config.yaml")}, then run: wisbot doctor --only config.valid`,
      lines: [
        "wbe: expected web, got an unknown key (config.yaml:1)",
        "discord.guild_ids[0]: expected a Discord id of 17 to 20 digits, got 12 (config.yaml:3)",
        'discord.api: expected an address that starts with http:// or https://, got "ftp://discord.com" (config.yaml:4)',
        "llm.hosts[0].slots: expected a whole number above zero, got 0 (config.yaml:8)",
        "llm.hosts[1].nmae: expected llm.hosts[1].name, got an unknown key (config.yaml:9)",
        "llm.timeout: expected a duration above zero such as 30s, 24h or 7d, got 5 (config.yaml:10)",
        "web.port: expected a port from 1 to 65535, got 99999 (config.yaml:12)",
        "web.prot: expected web.port, got an unknown key (config.yaml:13)",
        'files.max_file_size: expected a size above zero such as 250MB or 2GiB, got "0MB" (config.yaml:15)',
        'files.expire_after: expected a duration above zero such as 30s, 24h or 7d, got "-1d" (config.yaml:16)',
        'jobs: expected keys and values, got "soon" (config.yaml:17)',
        "port: expected web.port, got an unknown key (config.yaml:18)",
        'log.level: expected one of debug, info, warn, error, got "loud" (config.yaml:19)',
      ],
    });
  });

  test("with a key twice or broken YAML is told where", async () => {
    write("web:\n  port: 1\n  port: 2\nlgo: {}\n");
    expect((await refusal()).lines).toEqual([
      "expected each key once, got a key a second time (config.yaml:3)",
      "lgo: expected log, got an unknown key (config.yaml:4)",
    ]);
    write("web:\n  port: 1\n discord: [\n");
    const { lines } = await refusal();
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(/^expected YAML, got an error: .* \(config\.yaml:[34]\)$/);
  });

  test("that is a list, or no text at all, is refused in a sentence", async () => {
    write("- web\n");
    expect((await refusal()).lines).toEqual([
      "expected sections such as web: and files:, got a list (config.yaml:1)",
    ]);
    writeFileSync(join(folder, "config.yaml"), new Uint8Array([0xff, 0xfe, 0x00]));
    expect(load()).rejects.toThrow(/can't be read: it is not UTF-8 text/);
    rmSync(join(folder, "config.yaml"));
    mkdirSync(join(folder, "config.yaml"));
    expect(load()).rejects.toThrow(/can't be read: it is a folder/);
  });

  test("that was named and is missing is config.missing, except where it may be", async () => {
    expect((await refusal({}, { config: "other.yaml" })).code).toBe("config.missing");
    expect((await refusal({ WISBOT_CONFIG: "other.yaml" })).code).toBe("config.missing");
    const input = { flags: { config: "sub/other.yaml" }, env: {}, cwd: folder, missingIsFine: true };
    const loaded = await loadConfig(input);
    expect(loaded.file).toBeUndefined();
    expect(loaded.dataDir).toBe(join(folder, "sub/data"));
  });

  test("is taken from the first place that has one", async () => {
    const port = async (env: Record<string, string> = {}, flags: ConfigFlags = {}) =>
      (await load(env, flags)).config.web.port;
    mkdirSync(join(folder, "xdg/wisbot"), { recursive: true });
    write("web: { port: 1001 }", "xdg/wisbot/config.yaml");
    const env = { XDG_CONFIG_HOME: join(folder, "xdg") };
    expect(await port(env)).toBe(1001);
    write("web: { port: 1002 }");
    expect(await port(env)).toBe(1002);
    write("web: { port: 1003 }", "named.yaml");
    expect(await port({ ...env, WISBOT_CONFIG: "named.yaml" })).toBe(1003);
    write("web: { port: 1004 }", "flag.yaml");
    expect(await port({ ...env, WISBOT_CONFIG: "named.yaml" }, { config: "flag.yaml" })).toBe(1004);
  });

  test("with anything in it never does worse than config.invalid", async () => {
    const anything = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json(),
      fc
        .array(
          fc.constantFrom(
            "web:",
            "  port: ",
            "discord:\n",
            "*a ",
            "&a ",
            "!!int ",
            "- ",
            "{",
            "]",
            "'",
            "\t",
            `\${X}`,
            "? ",
            "__proto__: 1\n",
            "<<: ",
            "|\n",
            "%",
          ),
        )
        .map((parts) => parts.join("")),
    );
    await fc.assert(
      fc.asyncProperty(anything, async (text) => {
        write(text);
        const outcome = await load().catch((error: unknown) => error);
        if (outcome instanceof Error) expect(isWisError(outcome, "config.invalid")).toBe(true);
        else expect(outcome).toHaveProperty("config");
      }),
      { numRuns: 300 },
    );
  });
});

describe("the environment", () => {
  test("beats the file, and a flag beats the environment", async () => {
    write("web: { port: 1000, host: 10.0.0.1 }\nlog: { level: warn }");
    const env = { WISBOT_WEB__PORT: "2000", WISBOT_LOG__LEVEL: "error" };
    expect((await load()).config.web.port).toBe(1000);
    expect((await load(env)).config.web.port).toBe(2000);
    const { config, publicUrl } = await load(env, {
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
    const { config } = await load({
      WISBOT_FILES__MAX_FILE_SIZE: "3GB",
      WISBOT_DISCORD__GUILD_IDS: "[123456789012345678]",
      WISBOT_LLM__HOSTS: "[{ name: gpu, url: 'http://gpu-box:11434', slots: 4 }]",
      WISBOT_LLM__MODEL: "8",
      WISBOT_TELEMETRY__METRICS: "false",
      WISBOT_TELEMETRY__METRICS_TOKEN: "#a:b",
    });
    expect(config.files.max_file_size).toBe(3e9);
    expect(config.discord.guild_ids).toEqual(["123456789012345678"]);
    expect(config.llm.hosts).toEqual([
      { name: "gpu", kind: "ollama", url: "http://gpu-box:11434", slots: 4 },
    ]);
    expect(config.llm.model).toBe("8");
    expect(config.telemetry).toMatchObject({ metrics: false, metrics_token: "#a:b" });
  });

  test("set to nothing counts as not set", async () => {
    write("web: { port: 1000 }");
    const { config } = await load({
      WISBOT_WEB__PORT: "",
      OLLAMA_HOST: "",
      WISBOT_CONFIG: "",
      DISCORD_TOKEN: " ",
    });
    expect(config.web.port).toBe(1000);
  });

  test("is told its own mistakes beside those of the file", async () => {
    write("web: { port: no }");
    const env = {
      WISBOT_FILES__MAX_FILE_SIZE: "0",
      WISBOT_WEB__HSOT: "x",
      WISBOT_LOG_LEVEL: "info",
      WISBOT_SERVICE_HOST: "10.0.0.1",
      WISBOT_PORT: "tcp://10.0.0.1:80",
    };
    expect((await refusal(env)).lines).toEqual([
      'web.port: expected a port from 1 to 65535, got "no" (config.yaml:1)',
      "WISBOT_WEB__HSOT: expected WISBOT_WEB__HOST, got an unknown variable ($WISBOT_WEB__HSOT)",
      "WISBOT_LOG_LEVEL: expected WISBOT_LOG__LEVEL, got an unknown variable ($WISBOT_LOG_LEVEL)",
      "files.max_file_size: expected a size above zero such as 250MB or 2GiB, got 0 ($WISBOT_FILES__MAX_FILE_SIZE)",
    ]);
  });

  test("is what the hint names when only it is wrong", async () => {
    const { hint } = await refusal({ WISBOT_WEB__PORT: "0" });
    expect(hint).toBe("Correct the environment, then run: wisbot doctor --only config.valid");
  });

  test("stands in the file by its name in braces", async () => {
    write(
      [
        "web:",
        `  port: \${PORT}`,
        `  public_url: https://\${NAME}.example/$\${NAME}/`,
        "discord:",
        `  token: \${T}`,
      ].join("\n"),
    );
    const { config, publicUrl, discordToken } = await load({ PORT: "9000", NAME: "files", T: "123" });
    expect(config.web.port).toBe(9000);
    expect(publicUrl).toBe(`https://files.example/\${NAME}`);
    expect(discordToken).toBe("123");
  });

  test("that the file asks for and is not there is named with its key", async () => {
    write(`web:\n  host: \${NOPE}\n  public_url: https://\${}/`);
    expect((await refusal()).lines).toEqual([
      "web.host: expected the environment variable NOPE, got no such variable (config.yaml:2)",
      "web.public_url: expected a variable's name between the braces, got something else (config.yaml:3)",
    ]);
  });

  test("names the Ollama of every host that has no url", async () => {
    write("llm: { hosts: [{ name: a }, { name: b, url: 'http://b:1' }] }");
    const urls = async (env: Record<string, string>) =>
      (await load(env)).config.llm.hosts.map(({ url }) => url);
    expect(await urls({ OLLAMA_HOST: "0.0.0.0" })).toEqual(["http://127.0.0.1:11434", "http://b:1"]);
    write("llm: { model: x }");
    expect(await urls({ OLLAMA_HOST: "gpu-box:9999" })).toEqual(["http://gpu-box:9999"]);
    expect((await refusal({ OLLAMA_HOST: "no way" })).lines).toEqual([
      'llm.hosts[0].url: expected an address such as 127.0.0.1:11434 or http://gpu-box:11434, got "no way" ($OLLAMA_HOST)',
    ]);
  });
});

describe("the bot token", () => {
  const token = async (env: Record<string, string> = {}) => (await load(env)).discordToken;

  test("comes from the environment, the config, its file or systemd, in this order", async () => {
    const credentials = join(folder, "credentials");
    mkdirSync(credentials);
    expect(await token({ CREDENTIALS_DIRECTORY: credentials })).toBeUndefined();
    write("from-systemd\n", "credentials/discord-token");
    expect(await token({ CREDENTIALS_DIRECTORY: credentials })).toBe("from-systemd");
    write("from-file\n", "token");
    write("discord: { token_file: token }");
    expect(await token({ CREDENTIALS_DIRECTORY: credentials })).toBe("from-file");
    expect(await token({ DISCORD_TOKEN: " from-env\n" })).toBe("from-env");
    write("discord: { token: from-config }");
    expect(await token({ CREDENTIALS_DIRECTORY: credentials })).toBe("from-config");
    expect(await token({ WISBOT_DISCORD__TOKEN_FILE: "token" })).toBe("from-file");
    expect(await token({ DISCORD_TOKEN: "a", WISBOT_DISCORD__TOKEN: "b" })).toBe("b");
  });

  test("in a file that is not there, or given twice, is a problem like any other", async () => {
    write("discord:\n  token_file: nope\nweb: { port: 0 }");
    expect((await refusal()).lines).toEqual([
      `discord.token_file: expected a file with the bot token, got ${folder}/nope: no such file (config.yaml:2)`,
      "web.port: expected a port from 1 to 65535, got 0 (config.yaml:3)",
    ]);
    write("discord:\n  token: a\n  token_file: b\n");
    expect((await refusal()).lines).toEqual([
      "discord.token_file: expected nothing beside discord.token, got both (config.yaml:3)",
    ]);
  });

  test("in a file that others can read is refused with the chmod to run", async () => {
    const file = write(`discord:\n  token: ${TOKEN}\n`, "config.yaml", 0o644);
    expect(await refusal()).toEqual({
      code: "config.invalid",
      hint: `Run: chmod 600 ${file}`,
      lines: [
        "discord.token: expected a file that only its owner can read, got one that others can read (mode 0644) (config.yaml:2)",
      ],
    });
    chmodSync(file, 0o640);
    expect(await token()).toBe(TOKEN);
    write(`discord: { token: '\${T}' }`, "config.yaml", 0o644);
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
      write(text);
      const { lines } = await refusal({ SECRET: TOKEN });
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.join("\n")).not.toContain(TOKEN.slice(8, 30));
    }
  });
});

test("the data dir is the flag's, the environment's, the file's, systemd's, or beside the file", async () => {
  const dataDir = async (env: Record<string, string> = {}, flags: ConfigFlags = {}) =>
    (await load(env, flags)).dataDir;
  const state = { STATE_DIRECTORY: "/var/lib/wisbot:/var/lib/other" };
  expect(await dataDir()).toBe(join(folder, "data"));
  expect(await dataDir(state)).toBe("/var/lib/wisbot");
  mkdirSync(join(folder, "etc"));
  write("data_dir: ../kept", "etc/config.yaml");
  const named = { WISBOT_CONFIG: "etc/config.yaml" };
  expect(await dataDir({ ...state, ...named })).toBe(join(folder, "kept"));
  expect(await dataDir({ ...state, ...named, WISBOT_DATA_DIR: "mine" })).toBe(join(folder, "mine"));
  expect(await dataDir({ WISBOT_DATA_DIR: "mine" }, { dataDir: "flag" })).toBe(join(folder, "flag"));
});
