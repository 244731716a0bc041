import { describe, expect, test } from "bun:test";
import { elementsOf } from "../testing/markup.ts";
import { renderMarkdown } from "./preview-markdown.ts";
import { toMathml } from "./preview-mathml.ts";

const render = async (text: string) => String(await renderMarkdown(text, Number.POSITIVE_INFINITY));

/** What a reader sees: the text, with each formula's own text in guillemets. */
async function seen(text: string): Promise<string> {
  return (await render(text))
    .replace(/<math display="block">/g, "«display ")
    .replace(/<math>/g, "«")
    .replace(/<\/math>/g, "»")
    .replace(/<[^>]*>/g, "")
    .trim();
}

describe("a formula", () => {
  test.each([
    ["so $x+1$ is", "so «x+1» is"],
    ["the $n$th", "the «n»th"],
    [String.raw`so \(x+1\) and \( y \)`, "so «x+1» and «y»"],
    ["$$x+1$$", "«display x+1»"],
    ["so $$x+1$$ is", "so «display x+1» is"],
    ["so\n$$\na\n=\nb\n$$\nis", "so\n«display a=b»\nis"],
    [String.raw`\[ x+1 \]`, "«display x+1»"],
    [String.raw`so \[ x+1 \] is`, "so «display x+1» is"],
    ["1. so\n   \\[\n   x\n\n   - y\n   \\]\n2. is", "so«display x−y»\n\nis"],
    ["> $$\n> x\n> $$", "«display x»"],
    ["```math\nx\n```", "«display x»"],
    ["$a_1$ *b* $c_2*d*$", "«a1» b «c2∗d∗»"],
    [String.raw`$\$5$`, "«$5»"],
    ["[$x$](https://b.test)", "«x»"],
    ["| a |\n|---|\n| $x$ |", "a\n\n\n\n\n«x»"],
    [String.raw`$\mathbb{R} \mathbf{x}$`, "«ℝ𝐱»"],
  ])("stands in %j", async (text, shown) => {
    expect(await seen(text)).toBe(shown);
  });

  test.each([
    "$5 and $6",
    "from $5 to $10-$20",
    "$20,000 and USD$30,000",
    "US$5 or A$6",
    "5$ and 6$",
    "$, $$ and $$$",
    "- $$ cheap\n- $$$ dear",
    "- $$ cheap\n- dear $$",
    "$ x $ and $x $",
    "`$x$` \\$x$",
    String.raw`\[1\] \\(x\\) \\[ x \\]`,
    "$$\n$$",
    String.raw`\( \)`,
    "$$\nnever ended",
    "    $$\n    x\n    $$",
    "```\n$x$\n```",
    "![$x$](b)",
  ])("stands nowhere in %j", async (text) => {
    expect(await render(text)).not.toContain("<math");
  });

  test.each([
    [String.raw`a $\href{https://b.test}{x}$ b`, String.raw`a $\href{https://b.test}{x}$ b`],
    [String.raw`a $\def\a{\a\a}\a$ b`, String.raw`a $\def\a{\a\a}\a$ b`],
    [String.raw`a $\frac{1$ b`, String.raw`a $\frac{1$ b`],
    ["$$\n\\nothing <b>\n$$", "$$\n\\nothing &lt;b&gt;\n$$"],
    ["![a $x$](b)", "[Picture: a $x$]"],
  ])("that can't be shown stands as it was written: %j", async (text, shown) => {
    expect(await seen(text)).toBe(shown);
  });
});

describe("what browsers leave to us", () => {
  const classes = (latex: string) =>
    elementsOf(toMathml(latex, true) ?? "").flatMap(({ attributes }) =>
      attributes.filter(([name]) => name === "class").map(([, value]) => value),
    );

  test("columns are aligned and ruled cell by cell", () => {
    expect(classes(String.raw`\begin{aligned} a &= b \\ c &= d \end{aligned}`)).toEqual([
      "formula",
      ...["align-right tight", "align-left", "align-right tight", "align-left"],
    ]);
    expect(classes(String.raw`\begin{array}{c|c} a & b \\ \hline c & d \end{array}`)).toEqual([
      "formula",
      ...["line-right line-bottom", "line-bottom", "line-right"],
    ]);
  });

  test("boxes and strikes are drawn", () => {
    expect(classes(String.raw`\boxed{x} \cancel{x} \sout{x}`)).toEqual([
      "formula",
      ...["line-top line-bottom line-left line-right", "strike-up", "strike-through"],
    ]);
  });
});

describe("hostile formulas are bounded", () => {
  test.each([
    ["fractions", "\\frac1{", "}"],
    ["overlaps", "\\llap{", "}"],
    ["boxes", "\\boxed{", "}"],
    ["exponents", "x^{", "}"],
    ["brackets", "\\left(", "\\right)"],
    ["tables", "\\begin{matrix}", "\\end{matrix}"],
  ])("%s in each other are not so deep that a page falls apart", (_, open, close) => {
    const nested = (depth: number) => toMathml(`${open.repeat(depth)}x${close.repeat(depth)}`, true);
    expect(nested(10)).toContain(">x<");
    expect(nested(Math.floor(1_990 / (open.length + close.length)))).toBeUndefined();
  });

  test.each([
    ["cells", `\\begin{matrix}${"&".repeat(1_950)}\\end{matrix}`],
    ["letters that are taken apart", "é".repeat(2_000)],
    ["braces", `${"{".repeat(1_000)}${"}".repeat(1_000)}`],
    ["open braces", "{".repeat(2_000)],
    ["expansions", "\\iff ".repeat(400)],
  ])("%s don't grow into something huge", (_, latex) => {
    expect(toMathml(latex, true)?.length ?? 0).toBeLessThan(200_000);
  });

  test.each([
    String.raw`\def\a{x}\a`,
    String.raw`\gdef\a{x}\a`,
    String.raw`\newcommand{\a}{x}\a`,
    String.raw`\renewcommand\frac{x}`,
    String.raw`\let\a=x\a`,
    String.raw`\tag{x}\df@tag`,
    String.raw`\errmessage{x}`,
  ])("%s defines or says nothing", (latex) => {
    expect(toMathml(latex, true)).toBeUndefined();
  });

  test("one that is longer than any is not tried", async () => {
    for (const open of ["$", "$$\n", "\\(", "\\[\n"]) {
      expect(await render(`${open}${"{".repeat(150_000)}`)).not.toContain("<math");
    }
    expect(await render(`\`\`\`math\n${"x".repeat(2_001)}\n\`\`\``)).toContain('class="language-math"');
  });

  test.each([
    ["so many", "$x$ ", 2_000],
    ["so long ones", `$${"x".repeat(1_000)}$ `, 50],
    ["so large ones", `$$\n\\begin{matrix}${"&".repeat(1_900)}\\end{matrix}\n$$\n`, 7],
  ])("a page shows only %s, and the rest as written", async (_, formula, most) => {
    const html = await render(formula.repeat(most + 2));
    expect(html.match(/<math/g)?.length).toBe(most);
    expect(html.match(/\$/g)?.length).toBeGreaterThanOrEqual(4);
  });

  test("others have their turn between two of them", async () => {
    let turns = 0;
    let next = setImmediate(() => {});
    const turn = () => {
      turns++;
      next = setImmediate(turn);
    };
    turn();
    await render("$x$ ".repeat(100));
    clearImmediate(next);
    expect(turns).toBeGreaterThan(100);
  });
});
