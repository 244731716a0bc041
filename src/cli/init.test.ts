import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { runWisbot, startSession } from "../testing/command-line.ts";
import { startDiscord } from "../testing/discord/index.ts";
import { startOllama } from "../testing/ollama.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "wisbot-init-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

// Nothing listens on port 9: what is asked there is refused at once, on every machine.
const nobody = { OLLAMA_HOST: "127.0.0.1:9", WISBOT_DISCORD__API: "http://127.0.0.1:9" };
const written = () => parse(readFileSync(join(cwd, "config.yaml"), "utf8"));

describe("init --yes", () => {
  test("writes a config that only its owner can read, and its schema", async () => {
    const { code, stdout } = await runWisbot(["init", "--yes"], { cwd, env: nobody });
    expect(code).toBe(0);
    expect(statSync(join(cwd, "config.yaml")).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(join(cwd, "config.schema.json"), "utf8"))).toHaveProperty(
      "properties.web",
    );
    expect(stdout).toContain(join(cwd, "config.yaml"));
    expect(stdout).toContain("wisbot serve");
    expect((await runWisbot(["doctor", "--only", "config.valid"], { cwd })).code).toBe(0);
  });

  test("takes its answers from the environment and checks them live", async () => {
    await using discord = await startDiscord();
    await using ollama = await startOllama({ models: ["llama3.2", "qwen3:8b"] });
    const env = {
      DISCORD_TOKEN: discord.token,
      WISBOT_DISCORD__API: discord.api,
      WISBOT_DISCORD__GUILD_IDS: "[123456789012345678]",
      OLLAMA_HOST: ollama.url,
      WISBOT_LLM__MODEL: "qwen3:8b",
      WISBOT_WEB__PORT: "9000",
    };
    const { code, stdout, stderr } = await runWisbot(["init", "--yes"], { cwd, env });
    expect(code).toBe(0);
    expect(stdout).toContain(`client_id=${discord.applicationId}`);
    expect(stderr).toContain("qwen3:8b");
    expect(stdout + stderr).not.toContain(discord.token);
    expect(written()).toMatchObject({
      discord: { token: discord.token, guild_ids: ["123456789012345678"] },
      llm: { hosts: [{ url: ollama.url }], model: "qwen3:8b" },
      web: { port: 9000 },
    });
  });

  test("tells what does not answer, and writes all the same", async () => {
    const { code, stderr } = await runWisbot(["init", "--yes"], {
      cwd,
      env: { ...nobody, DISCORD_TOKEN: "abc" },
    });
    expect(code).toBe(0);
    expect(stderr.match(/^! /gm)?.length).toBe(2);
    expect(written().discord.token).toBe("abc");
  });

  test("leaves a config alone that stands, unless it is forced", async () => {
    writeFileSync(join(cwd, "config.yaml"), "web: { port: 9000 }");
    const refused = await runWisbot(["init", "--yes"], { cwd, env: nobody });
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^Error: .*exists already.*\nTry: .*--force/);
    expect(written().web.port).toBe(9000);
    expect((await runWisbot(["init", "--yes", "--force"], { cwd, env: nobody })).code).toBe(0);
    expect(written().web.port).toBe(8080);
  });

  test("creates a file that was named", async () => {
    const args = ["--config", "etc/mine.yaml", "init", "--yes"];
    const { code, stdout } = await runWisbot(args, { cwd, env: nobody });
    expect(code).toBe(0);
    expect(existsSync(join(cwd, "etc/mine.yaml"))).toBe(true);
    expect(stdout).toContain(`wisbot --config ${join(cwd, "etc/mine.yaml")} serve`);
  });
});

describe("init without a terminal", () => {
  test("says so and asks nothing", async () => {
    const { code, stdout, stderr } = await runWisbot(["init"], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^Error: .*terminal.*\nTry: .*--yes/);
    expect(existsSync(join(cwd, "config.yaml"))).toBe(false);
  });
});

describe("the wizard", () => {
  const ENTER = "\r";
  const CTRL_C = "\x03";

  test("asks, checks each answer live, and writes them", async () => {
    await using discord = await startDiscord();
    await using ollama = await startOllama({ models: ["llama3.2", "qwen3:8b"] });
    const env = { WISBOT_DISCORD__API: discord.api };
    await using session = startSession(["init"], { cwd, env });
    await session.shows("Bot token");
    session.type(`wrong${ENTER}`);
    await session.shows("Keep this token all the same?");
    session.type(`n${ENTER}`);
    await session.shows("Bot token");
    session.type(discord.token + ENTER);
    await session.shows("Discord knows the bot as");
    await session.shows("Server ids");
    session.type(`123${ENTER}`);
    await session.shows("123 is no server id");
    session.type(`456789012345678${ENTER}`);
    await session.shows("Where Ollama listens");
    session.type(`\x15${ollama.url}${ENTER}`);
    await session.shows("Ollama answers at");
    await session.shows("another one");
    session.type(`\x1b[B${ENTER}`);
    await session.shows("Port");
    session.type(`\x1570000${ENTER}`);
    await session.shows("Expected a port from 1 to 65535.");
    session.type(`\x159000${ENTER}`);
    await session.shows("Address that members");
    session.type(`https://files.example${ENTER}`);
    await session.shows("Keep these limits?");
    session.type(`n${ENTER}`);
    await session.shows("Largest file");
    session.type(`\x151GB${ENTER}`);
    for (const question of ["Files a member may keep", "Bytes a member may keep", "Files disappear after"]) {
      await session.shows(question);
      session.type(ENTER);
    }
    await session.shows("Write ");
    session.type(ENTER);
    await session.shows("wisbot serve");
    expect(await session.exited).toBe(0);
    expect(session.screen()).toContain(`client_id=${discord.applicationId}`);
    expect(session.screen()).not.toContain(discord.token);
    expect(written()).toMatchObject({
      discord: { token: discord.token, guild_ids: ["123456789012345678"] },
      llm: { hosts: [{ url: ollama.url }], model: "qwen3:8b" },
      web: { port: 9000, public_url: "https://files.example" },
      files: { max_file_size: "1GB", max_files_per_user: 20, max_bytes_per_user: "2GB", expire_after: "7d" },
    });
  }, 20_000);

  test("left by Ctrl-C writes nothing and says so", async () => {
    await using session = startSession(["init"], { cwd, env: nobody });
    await session.shows("Bot token");
    session.type(CTRL_C);
    await session.shows("Nothing was written.");
    expect(await session.exited).toBe(1);
    expect(existsSync(join(cwd, "config.yaml"))).toBe(false);
  });

  test("takes Enter all the way, with nothing that answers", async () => {
    await using session = startSession(["init"], { cwd, env: nobody });
    const questions = [
      "Bot token",
      "Where Ollama listens",
      "Name of the model",
      "Port",
      "Address",
      "Keep these limits?",
    ];
    for (const question of [...questions, "Write "]) {
      await session.shows(question);
      session.type(ENTER);
    }
    expect(await session.exited).toBe(0);
    expect(written().llm.model).toBe("llama3.2");
  });
});
