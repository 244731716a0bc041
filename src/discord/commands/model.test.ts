import { describe, expect, test } from "bun:test";
import { WisError } from "../../errors.ts";
import type { ModelView, Pull } from "../../llm/llm.ts";
import type { Asked } from "../../testing/discord/index.ts";
import { openTestBot, type TestBot } from "../../testing/test-bot.ts";

const gemma: ModelView = {
  name: "gemma3:12b",
  size: 8e9,
  capabilities: ["vision", "thinking"],
  context: 131_072,
  hosts: ["local", "big"],
  warm: true,
};
const llama: ModelView = {
  name: "llama3.2:latest",
  size: 2e9,
  capabilities: ["tools"],
  context: 8_192,
  hosts: ["local"],
  warm: false,
};

async function openWithModels(config?: { llm: object }): Promise<TestBot> {
  const t = await openTestBot({ ...(config && { config }) });
  t.llm.knows.models = [gemma, llama];
  return t;
}

const loaded = (asked: Asked) => asked.waitFor(({ loading }) => !loading);
const ask = (t: TestBot, options: Record<string, string | boolean> = {}, user = "ada") =>
  loaded(t.discord.invoke({ user, command: "wis model", options }));

describe("/wis model", () => {
  test("lists what may be asked here, what it can do, where it is, and who chose which", async () => {
    await using t = await openWithModels();
    t.llm.knows.chosen.set(t.discord.channel("general").id, "gemma3:12b");
    const { content, ephemeral } = await ask(t);
    expect(ephemeral).toBe(true);
    expect(content).toContain("**gemma3:12b** answers you here: this channel's choice.");
    expect(content).toContain(
      "**gemma3:12b** · ready at once\n-# sees images · thinks · 128k tokens · on local, big",
    );
    expect(content).toContain("**llama3.2:latest**\n-# uses tools · 8k tokens · on local");
    expect(content).toContain("/wis model name:");
  });

  test("says which is one's own, the channel's and the default", async () => {
    await using t = await openWithModels();
    const row = { guildId: "1", off: false, threads: false, freeResponse: false };
    const channelId = t.discord.channel("general").id;
    expect((await ask(t)).content).toContain("**llama3.2:latest** · the default");
    t.llm.knows.places.set(channelId, { ...row, placeId: channelId, model: "llama3.2" });
    t.llm.knows.chosen.set(t.discord.user("ada").id, "gemma3:12b");
    const { content } = await ask(t);
    expect(content).toContain("**gemma3:12b** · ready at once · yours");
    expect(content).toContain("**llama3.2:latest** · this channel's");
  });

  test("says how many more there are than a message holds", async () => {
    await using t = await openWithModels();
    t.llm.knows.models = Array.from({ length: 60 }, (_, index) => ({ ...llama, name: `model-${index}` }));
    const { content } = await ask(t);
    const shown = content.match(/\*\*model-\d+\*\*/g)?.length ?? 0;
    expect(shown).toBeGreaterThan(15);
    expect(content).toContain(`and ${60 - shown} more`);
  });

  test("shows a name as it is, whatever Markdown it holds", async () => {
    await using t = await openWithModels();
    t.llm.knows.models = [{ ...llama, name: "[free](http://evil.test) **x**" }];
    const { content } = await ask(t);
    expect(content).toContain("**\\[free](http://evil.test) \\*\\*x\\*\\***");
  });

  test("asks for the model's name where the other options have none to go by", async () => {
    await using t = await openWithModels();
    for (const options of [{ for: "channel" }, { fetch: true }]) {
      const { content, ephemeral } = await ask(t, options, "mia");
      expect(ephemeral).toBe(true);
      expect(content).toContain("Type the model's name as well");
    }
  });

  test("chooses a model for oneself unless said, and says who answers now", async () => {
    await using t = await openWithModels();
    const { content } = await ask(t, { name: "gemma3:12b" });
    expect(content).toContain("Chosen for you: **gemma3:12b**.");
    expect(content).toContain("**gemma3:12b** answers you here: your own choice.");
    expect(t.llm.knows.calls).toMatchObject([
      { name: "chooseModel", input: { scope: "me", model: "gemma3:12b" } },
    ]);
  });

  test("chooses for the server, and default takes that back", async () => {
    await using t = await openWithModels();
    await ask(t, { name: "gemma3:12b", for: "server" }, "mia");
    const { content } = await ask(t, { name: "default", for: "server" }, "mia");
    expect(content).toContain("The choice for this server is taken back.");
    const inputs = t.llm.knows.calls.map(({ input }) => input);
    expect(inputs).toMatchObject([
      { scope: "server", model: "gemma3:12b" },
      { scope: "server", model: null },
    ]);
  });

  test("completes a name, warm ones first as the desk gives them, and the way back to the default", async () => {
    await using t = await openWithModels();
    const type = (text: string) =>
      t.discord.type({ user: "ada", command: "wis model", option: "name", text });
    expect((await type("")).map(({ value }) => value)).toEqual(["gemma3:12b", "llama3.2:latest", "default"]);
    expect((await type("LLAMA")).map(({ value }) => value)).toEqual(["llama3.2:latest"]);
    t.llm.knows.models = Array.from({ length: 40 }, (_, index) => ({ ...llama, name: `m${index}` }));
    const many = await type("");
    expect(many).toHaveLength(25);
    expect(many.at(-1)?.value).toBe("default");
  });
});

const pull = (state: Pull["state"], share: number | undefined, error?: unknown): Pull => ({
  model: "gemma3:12b",
  host: "local",
  state,
  status: "pulling 3b2c",
  share,
  error,
});
const missing = new WisError("llm.model_missing", {
  say: "No model server here has it.",
  hint: "Choose another.",
});
const moderatorsPull = { llm: { pull: "moderators" } };

describe("a model that no host has", () => {
  async function refusal(user: string, config: { llm: object }, name = "gemma3:12b") {
    const t = await openWithModels(config);
    t.llm.chooseModel = () => Promise.reject(missing);
    return { t, message: await ask(t, { name }, user) };
  }

  test("is offered to a moderator, and fetched before everybody's eyes", async () => {
    const { t, message } = await refusal("mia", moderatorsPull);
    await using _ = t;
    t.llm.knows.pulls = [pull("running", undefined), pull("running", 0.42), pull("done", 1)];
    const pressed = t.discord.press({ user: "mia", message, button: "Fetch it" });
    const end = await pressed.waitFor(({ content }) => content.includes("is on local now"));
    expect(end.ephemeral).toBe(false);
    expect(end.content).toContain("Choose it with `/wis model`");
    expect(t.llm.knows.calls).toMatchObject([{ name: "pull", input: { model: "gemma3:12b" } }]);
  });

  test("is offered to nobody else", async () => {
    for (const [user, config] of [["ada", moderatorsPull] as const, ["mia", { llm: {} }] as const]) {
      const { t, message } = await refusal(user, config);
      await using _ = t;
      expect(message.content).toContain("Choose another.");
      expect(message.buttons).toEqual([]);
    }
  });

  test("is fetched by its name when that is too long for a button", async () => {
    const { t, message } = await refusal("mia", moderatorsPull, "m".repeat(150));
    await using _ = t;
    expect(message.buttons).toEqual([]);
    expect(message.content).toContain("`fetch:True`");
  });
});

describe("fetching a model", () => {
  const fetchIt = (t: TestBot, user = "mia") =>
    t.discord.invoke({ user, command: "wis model", options: { name: "gemma3:12b", fetch: true } });

  test("shows how far it is, past the 15 minutes of the interaction, to its end", async () => {
    await using t = await openWithModels(moderatorsPull);
    const steps = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    t.llm.pulling = async function* () {
      yield pull("running", 0.42);
      await steps[0]?.promise;
      yield pull("running", 0.9);
      await steps[1]?.promise;
      yield pull("done", 1);
    };
    const asked = fetchIt(t);
    const shown = await asked.waitFor(({ content }) => content.includes("42%"));
    expect(shown.content).toContain("▰▰▰▰▱▱▱▱▱▱ 42%");
    t.later(16 * 60_000);
    steps[0]?.resolve();
    await asked.waitFor(({ content }) => content.includes("90%"));
    steps[1]?.resolve();
    await asked.waitFor(({ content }) => content.includes("is on local now"));
  });

  test("that fails says why, with the error id, and offers to try again", async () => {
    await using t = await openWithModels(moderatorsPull);
    const error = new WisError("disk.full", { say: "There is no room for it.", hint: "Make room." });
    t.llm.knows.pulls = [pull("running", 0.42), pull("failed", undefined, error)];
    const asked = fetchIt(t);
    const end = await asked.waitFor(({ content }) => content.includes("could not be fetched"));
    expect(end.content).toMatch(/There is no room for it\.\nMake room\.\n-# Error id `[0-9a-f]{32}`$/);
    expect(end.buttons.map(({ label }) => label)).toEqual(["Fetch it"]);
    expect(asked.messages()).toHaveLength(1);
  });

  test("that is refused is told to the asker alone", async () => {
    await using t = await openWithModels(moderatorsPull);
    t.llm.pull = () => Promise.reject(new WisError("forbidden", { say: "Only moderators may." }));
    const refused = await fetchIt(t, "ada").waitFor(() => true);
    expect(refused.ephemeral).toBe(true);
    expect(refused.content).toContain("Only moderators may.");
  });
});
