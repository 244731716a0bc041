import { expect, test } from "bun:test";
import { fakeTime } from "../testing/fake-time.ts";
import { createAnswerView } from "./answer-view.ts";
import { createEditBudget } from "./edit-budget.ts";
import { openingBody } from "./opening.ts";
import type { Body } from "./respond.ts";

test("an answer that has only begun a code block keeps its message", async () => {
  const time = fakeTime();
  const contents: (string | undefined)[] = [];
  const shown = { channelId: "1", messageId: "2", ephemeral: false, via: undefined };
  const write = async (body: Body) => void contents.push(body.content);
  const view = createAnswerView(
    {
      messages: { edit: (_, body) => write(body), remove: () => write({ content: "removed" }) },
      more: async (body) => {
        await write(body);
        return shown;
      },
      onMoved: async () => {},
      onRefused() {},
      budget: createEditBudget(time),
      ...time,
    },
    { question: "", answerId: "a", first: { shown, body: openingBody("", "Asking…", "a") } },
  );
  view.take({ type: "text", text: "```a-language-of-more-than-thirty-letters\n" });
  await time.pass(5_000);
  view.take({ type: "text", text: "let it = be;\n" });
  await time.pass(5_000);
  expect(contents).toEqual(["```\nlet it = be;\n```"]);
});
