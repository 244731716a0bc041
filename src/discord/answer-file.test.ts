import { expect, test } from "bun:test";
import { answerFile, hasLongTable, isWorthAFile } from "./answer-file.ts";

const fenced = (language: string, code: string) => `\`\`\`${language}\n${code}\`\`\``;

test("an answer as a file is the answer as it was written", () => {
  const text = `Words about it, and more of them than code.\n${fenced("ts", "x\n")}`;
  expect(answerFile(text)).toEqual({ name: "answer.md", contentType: "text/markdown", data: text });
});

test("an answer that is mostly code is its code, named so that an editor knows it", () => {
  const code = "print('a')\n".repeat(9);
  for (const [language, name] of [
    ["python", "answer.py"],
    ["sql", "answer.sql"],
    ["C++", "answer.cpp"],
    ["", "answer.txt"],
    ["../../etc", "answer.txt"],
  ] as const)
    expect(answerFile(`Here:\n${fenced(language, code)}`)).toMatchObject({ name, data: code });
});

test("a file is offered where Discord shows something otherwise, and where it is long", () => {
  expect(isWorthAFile("Short.")).toBe(false);
  expect(isWorthAFile(`Short: ${fenced("ts", "x\n")}`)).toBe(false);
  for (const text of [
    "| a |\n|---|\n| 1 |",
    "\\[\nx\n\\]",
    "As \\(x_1\\).",
    `~~~md\n${fenced("", "x\n")}\n~~~`,
  ])
    expect(isWorthAFile(text)).toBe(true);
  expect(isWorthAFile("word ".repeat(300))).toBe(true);
});

test("a table that fills a message is too long for one", () => {
  const table = (rows: number) => `| name | size |\n|---|---|\n${"| a file | 12 MB |\n".repeat(rows)}`;
  expect([5, 200].map((rows) => hasLongTable(table(rows)))).toEqual([false, true]);
});
