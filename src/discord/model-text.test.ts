import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { modelText } from "./model-text.ts";

describe("a model's words", () => {
  test("show where a link leads instead of hiding it behind other words", () => {
    expect(modelText("see [your bank](https://evil.example)")).toBe("see [your bank] (https://evil.example)");
  });

  test("hide no address in any other way either", () => {
    expect(modelText("[https://good.example](https://evil.example)")).toBe(
      "[https://good.example] (https://evil.example)",
    );
    expect(modelText("[a][1]\n\n[1]: https://evil.example")).toBe("[a][1]\n\n[1]: https://evil.example");
    expect(modelText("`[a](https://evil.example)")).toBe("`[a] (https://evil.example)");
  });

  test("hide none behind what Discord takes for the end of a code block", () => {
    const link = "[good](https://evil.example)";
    // To Discord the third fence ends the block that the first one began, for an empty one is none.
    expect(modelText(`\`\`\`\n\`\`\` \`\`\` ${link}`)).not.toContain(link);
    // To Discord the first backtick begins what the second one ends.
    expect(modelText(`a \` b\n\`\`\`md\nx \` ${link}\n\`\`\``)).not.toContain(link);
    expect(modelText(`~~~md\n\`\`\`\n${link}\n~~~`)).not.toContain(link);
  });

  test("keep mentions as they are: respond.ts lets none of them notify", () => {
    const mentions = "@everyone <@80351110224678912> <@&80351110224678912> https://discord.gg/x";
    expect(modelText(mentions)).toBe(mentions);
  });

  test("show a table in columns, as code", () => {
    const table = "| Name | Size |\n|---|--:|\n| **a** | 1 |\n| 日本 | 1 \\| 2 |";
    expect(modelText(`Look:\n\n${table}\n\nDone.`)).toBe(
      [
        "Look:\n\n```",
        "| Name |  Size |",
        "| ---- | ----: |",
        "| a    |     1 |",
        "| 日本 | 1 | 2 |",
        "```\n\nDone.",
      ].join("\n"),
    );
  });

  test("show formulas as code, and leave money alone", () => {
    expect(modelText("Of \\(a_1\\) and $x^2$ for $5 or $6:\n\n\\[\n\\frac{1}{2}\n\\]\n")).toBe(
      "Of `a_1` and `x^2` for $5 or $6:\n\n```latex\n\\frac{1}{2}\n```\n",
    );
  });

  test("show a fence in a fence as text, and tildes as a fence", () => {
    expect(modelText("````md\n# Hi\n```js\nx\n```\n````\nand\n~~~ py\ny\n~~~")).toBe(
      "```md\n# Hi\n`\u200b`\u200b`js\nx\n`\u200b`\u200b`\n```\nand\n```py\ny\n```",
    );
  });

  test("stay as they are in code", () => {
    expect(modelText("```js\nf[0](x)\n```")).toBe("```js\nf[0](x)\n```");
  });

  test("only grow when the answer grows", () => {
    const pieces = fc.array(fc.constantFrom("]", "(", "[", "```", "`", " ", "\n", "a"), { maxLength: 60 });
    fc.assert(
      fc.property(pieces, pieces, (before, after) => {
        // A line that is still growing may yet become a fence.
        const text = `${before.join("")}\n`;
        expect(modelText(text + after.join(""))).toStartWith(modelText(text));
      }),
    );
  });

  test("that repeat what never ends are read in no time", () => {
    for (const begun of ["$$ a\n", "\\( a ", "\\[ a\n"]) {
      const text = begun.repeat(400_000 / begun.length);
      expect(modelText(text)).toContain(begun.trim());
    }
    const ticks = "`".repeat(400_000);
    expect(modelText(`| a |\n|---|\n| ${ticks} |`)).toContain("| a");
  });

  test("keep the lines of a formula that break with a distance", () => {
    expect(modelText("\\[\na \\\\[2pt]\nb\n\\]")).toBe("```latex\na \\\\[2pt]\nb\n```");
  });

  test("never fill a message with white space", () => {
    expect(modelText(`a${"\n".repeat(9_000)}b`).length).toBeLessThan(600);
  });
});
