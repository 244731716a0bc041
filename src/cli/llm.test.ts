import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "../store/open.ts";
import { quiet } from "../store/open-test-store.ts";
import { attempt, ended, question } from "../store/turn-rows.fixture.ts";
import { runWisbot, startSession } from "../testing/command-line.ts";
import { startOllama } from "../testing/ollama.ts";
import { startOpenAi } from "../testing/openai.ts";
import { startServe } from "../testing/serve.ts";

// Each command is a process of its own, and a test runs several.
setDefaultTimeout(60_000);

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "wisbot-llm-cli-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const llm = (...args: string[]) => runWisbot(["llm", ...args], { cwd });

async function asked<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await llm(...args, "--json");
  if (code !== 0) throw new Error(`llm ${args.join(" ")} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

const ada = "100000000000000001";
const bob = "100000000000000002";
const here = "900000000000000001";
const elsewhere = "900000000000000002";
const noon = Date.UTC(2026, 0, 1, 12);
const answered = {
  endedAt: noon + 9_000,
  inputTokens: 120,
  outputTokens: 45,
  firstTokenMs: 250,
  durationMs: 4_000,
  outcome: "ok",
  answer: null,
};
const refused = { ...answered, inputTokens: null, outputTokens: null, firstTokenMs: null, durationMs: null };

/** Ada was answered here and liked it, bob was not, and was answered elsewhere. All as `serve` writes it. */
async function remember() {
  await using store = await openStore({ dataDir: join(cwd, "data"), log: quiet });
  const { turns, attempts, llmChoices } = store;
  const turn = question({ userId: ada, question: "Why is the sky blue?" });
  await ended(turns, [turn, question({ userId: bob, question: "Is bob's secret safe?" })]);
  await llmChoices.setModelOf(ada, "llama3.2");
  const first = attempt({ turnId: turn.id, userId: ada, guildId: here, createdAt: noon, queueMs: 1_500 });
  const second = attempt({
    userId: bob,
    guildId: here,
    createdAt: noon + 60_000,
    model: "qwen3",
    host: "away",
  });
  const third = attempt({ userId: bob, guildId: elsewhere, createdAt: noon + 120_000 });
  for (const row of [first, second, third]) await attempts.begin(row);
  await attempts.end(first.id, answered);
  await attempts.end(second.id, { ...refused, outcome: "llm.unreachable" });
  await attempts.end(third.id, answered);
  await turns.vote(turn.id, ada, 1);
  return { turn, first, second, third };
}

test("an admin sees who asked what model, when, and what it took, newest first", async () => {
  expect(await llm("history")).toMatchObject({ code: 0, stdout: "" });
  const { turn, first, second, third } = await remember();
  const ids = async (...args: string[]) =>
    (await asked<{ id: string }[]>("history", ...args)).map(({ id }) => id);
  expect(await ids()).toEqual([third.id, second.id, first.id]);
  expect(await ids("--limit", "1")).toEqual([third.id]);
  expect(await ids("--server", here)).toEqual([second.id, first.id]);
  expect(await ids("--user", bob, "--server", here)).toEqual([second.id]);
  expect(await asked<object[]>("history", "--user", ada)).toEqual([
    {
      id: first.id,
      turn: turn.id,
      at: "2026-01-01T12:00:00.000Z",
      ended_at: "2026-01-01T12:00:09.000Z",
      user: ada,
      server: here,
      channel: "2",
      model: "llama3.2",
      host: "local",
      input_tokens: 120,
      output_tokens: 45,
      wait_ms: 1_500,
      first_token_ms: 250,
      duration_ms: 4_000,
      outcome: "ok",
      trace_id: "f".repeat(32),
      vote: 1,
      question: null,
      answer: null,
    },
  ]);

  const [head = "", , ...rows] = (await llm("history")).stdout.split("\n");
  expect(head.split(/ {2,}/)).toEqual([
    ...["WHEN", "USER", "MODEL", "HOST", "IN", "OUT", "WAIT", "FIRST TOKEN", "DURATION", "OUTCOME", "TRACE"],
  ]);
  expect(rows.map((row) => row.split(/ {2,}/).slice(1))).toEqual([
    [bob, "qwen3", "away", "–", "–", "0.0 s", "–", "–", "llm.unreachable", "ffffffff"],
    [ada, "llama3.2", "local", "120", "45", "1.5 s", "0.3 s", "4.0 s", "ok", "ffffffff"],
    [],
  ]);
});

test("an admin sees which model is liked, in one server or in all", async () => {
  await remember();
  expect(await asked<object[]>("votes")).toEqual([{ model: "llama3.2", up: 1, down: 0, answers: 2 }]);
  expect(await asked<object[]>("votes", "--server", elsewhere)).toEqual([
    { model: "llama3.2", up: 0, down: 0, answers: 1 },
  ]);
  expect(await llm("votes")).toMatchObject({
    code: 0,
    stdout: "MODEL     UP  DOWN  ANSWERS\nllama3.2  1   0     2\n",
  });
});

describe("export", () => {
  test("gives all of one member and nothing of others, to stdout or to a file for its owner alone", async () => {
    const { turn, first } = await remember();
    const { code, stdout } = await llm("export", ada);
    expect(code).toBe(0);
    const turns = [{ id: turn.id, question: "Why is the sky blue?" }];
    expect(JSON.parse(stdout)).toMatchObject({
      user: ada,
      model: "llama3.2",
      turns,
      history: [{ id: first.id }],
    });
    expect(stdout).not.toContain(bob);
    expect(stdout).not.toContain("secret safe");

    expect(await llm("export", ada, "--output", "ada.json")).toMatchObject({ code: 0, stdout: "ada.json\n" });
    expect(readFileSync(join(cwd, "ada.json"), "utf8")).toBe(stdout);
    expect(statSync(join(cwd, "ada.json")).mode & 0o777).toBe(0o600);
  });

  test("writes over nothing", async () => {
    await remember();
    await Bun.write(join(cwd, "kept.json"), "mine");
    const { code, stderr } = await llm("export", ada, "--output", "kept.json");
    expect(code).toBe(2);
    expect(stderr).toContain("kept.json exists already.");
    expect(readFileSync(join(cwd, "kept.json"), "utf8")).toBe("mine");
    expect(await llm("export", ada, "--output", "nowhere/ada.json")).toMatchObject({ code: 1, stdout: "" });
  });

  test("is whole, however long it is", async () => {
    await using store = await openStore({ dataDir: join(cwd, "data"), log: quiet });
    const long = "long ".repeat(200_000);
    await ended(
      store.turns,
      Array.from({ length: 10 }, () => question({ userId: ada, question: long })),
    );
    const { stdout } = await llm("export", ada);
    expect(JSON.parse(stdout)).toMatchObject({ turns: Array(10).fill({ question: long }) });
  });
});

describe("forget", () => {
  test("erases one member and nobody else, and gives a receipt", async () => {
    await remember();
    expect(await asked<object>("forget", ada, "--yes")).toEqual({
      user: ada,
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      turns: 1,
      attempts: 1,
      choices: 1,
    });
    expect(await asked<object[]>("history", "--user", ada)).toEqual([]);
    expect(await asked<object[]>("history", "--user", bob)).toHaveLength(2);
    expect(await llm("forget", ada, "--yes")).toMatchObject({
      code: 0,
      stdout: `Erased of ${ada}: 0 questions, 0 lines of history, 0 choices.\n`,
    });
  });

  test("does not begin without --yes where it can't ask", async () => {
    await remember();
    const { code, stdout, stderr } = await llm("forget", ada);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`wisbot llm forget ${ada} --yes`);
    expect(await asked<object[]>("history", "--user", ada)).toHaveLength(1);
  });

  test("shows at a terminal what would go, and goes by the answer", async () => {
    await remember();
    for (const keys of ["\r", "\x03"]) {
      await using unsure = startSession(["llm", "forget", ada], { cwd });
      await unsure.shows("1 question, 1 line of history, 1 choice");
      await unsure.shows("Erase it for good?");
      unsure.type(keys);
      await unsure.shows("Nothing was erased.");
      expect(await unsure.exited).toBe(1);
    }
    expect(await asked<object[]>("history", "--user", ada)).toHaveLength(1);

    await using sure = startSession(["llm", "forget", ada], { cwd });
    await sure.shows("Erase it for good?");
    sure.type("y\r");
    await sure.shows(`Erased of ${ada}: 1 question, 1 line of history, 1 choice.`);
    expect(await sure.exited).toBe(0);
    expect(await asked<object[]>("history", "--user", ada)).toEqual([]);
  });
});

test("all of it works while serve runs", async () => {
  await remember();
  const serve = startServe({ cwd, args: ["--port", "0", "--no-discord"] });
  await serve.ready();
  expect(await asked<object[]>("history")).toHaveLength(3);
  expect(await asked<object>("forget", ada, "--yes")).toMatchObject({ turns: 1, attempts: 1, choices: 1 });
  expect(await asked<object[]>("history")).toHaveLength(2);
  expect(await serve.kill("SIGTERM")).toBe(0);
});

test("every host says what it holds; one that does not answer makes it fail", async () => {
  await using ollama = await startOllama({ models: ["llama3.2", "qwen3:8b"], loaded: ["qwen3:8b"] });
  await using openAi = await startOpenAi({ models: ["mistral"] });
  const gpu = { name: "gpu", url: ollama.url, slots: 2 };
  const vllm = { name: "vllm", kind: "openai", url: openAi.url };
  // Nothing listens on port 9.
  const away = { name: "away", url: "http://127.0.0.1:9" };
  const write = (hosts: object[]) =>
    Bun.write(join(cwd, "config.yaml"), JSON.stringify({ llm: { hosts } }), { mode: 0o600 });

  await write([gpu, vllm]);
  expect(await asked<object[]>("hosts")).toEqual([
    {
      name: "gpu",
      kind: "ollama",
      slots: 2,
      answers: true,
      error: null,
      loaded: ["qwen3:8b"],
      models: ["llama3.2:latest", "qwen3:8b"],
    },
    {
      name: "vllm",
      kind: "openai",
      slots: 1,
      answers: true,
      error: null,
      loaded: ["mistral"],
      models: ["mistral"],
    },
  ]);

  await write([gpu, away]);
  const { code, stdout, stderr } = await llm("hosts");
  expect(code).toBe(1);
  expect(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/ {2,}/)),
  ).toEqual([
    ["NAME", "KIND", "SLOTS", "ANSWERS", "LOADED", "MODELS"],
    ["gpu", "ollama", "2", "yes", "qwen3:8b", "llama3.2:latest, qwen3:8b"],
    ["away", "ollama", "1", "no", "–", "–"],
  ]);
  expect(stderr).toMatch(/^away: \S/);
});

test.each(["history --user ada", "votes --server 1", "export everybody", "forget --yes"])(
  "what is no Discord id is refused before anything is opened: %s",
  async (line) => {
    expect(await llm(...line.split(" "))).toMatchObject({ code: 2, stdout: "" });
    expect(existsSync(join(cwd, "data"))).toBe(false);
  },
);
