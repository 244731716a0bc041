import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { elementsOf } from "../testing/markup.ts";
import { renderMarkdown } from "./preview-markdown.ts";

const render = async (text: string) => String(await renderMarkdown(text, Number.POSITIVE_INFINITY));

const TAGS = new Set(
  "p h2 h3 h4 h5 h6 a em strong s code pre ul ol li blockquote hr br table thead tbody tr th td span".split(
    " ",
  ),
);
const MATH = new Set(
  "math mrow mi mn mo mtext mspace mfrac msqrt mroot mstyle mpadded mphantom msub msup msubsup munder mover munderover mtable mtr mtd".split(
    " ",
  ),
);

/** What a hostile text has got into the page, if anything. */
async function intruders(text: string): Promise<string[]> {
  return elementsOf(await render(text)).flatMap(({ tag, attributes }) => [
    ...(TAGS.has(tag) || MATH.has(tag) ? [] : [`<${tag}>`]),
    ...attributes.filter(([name, value]) => !mayStand(tag, name, value)).map(([name]) => `<${tag} ${name}>`),
  ]);
}

function mayStand(tag: string, name: string, value: string): boolean {
  if (tag === "a" && name === "href") return /^(?:https?:\/\/|mailto:)/i.test(value);
  if (tag === "a") return name === "rel" && value === "noopener noreferrer nofollow ugc";
  if (tag === "ol") return name === "start" && /^\d+$/.test(value);
  if (MATH.has(tag) && name !== "class") {
    return /^(?:block|true|false|normal|prefix|infix|postfix|-?[\d.]+(?:em|ex|pt|px)?)$/.test(value);
  }
  if (name !== "class") return false;
  if (tag === "code") return value.startsWith("language-");
  const known = /^(?:picture|formula|tight|align-(?:left|center|right)|line-\w+|strike-\w+)$/;
  return value.split(" ").every((one) => known.test(one));
}

describe("Markdown", () => {
  test.each([
    ["# One\n\n###### Six", "<h2>One</h2>\n<h6>Six</h6>\n"],
    ["One\n===\nTwo\n---", "<h2>One</h2>\n<h3>Two</h3>\n"],
    ["a **b** `c`", "<p>a <strong>b</strong> <code>c</code></p>\n"],
    ["3. c", '<ol start="3">\n<li>c</li>\n</ol>\n'],
    [
      "[a](https://b.test/c)",
      '<p><a href="https://b.test/c" rel="noopener noreferrer nofollow ugc">a</a></p>\n',
    ],
    [
      "<me@b.test>",
      '<p><a href="mailto:me@b.test" rel="noopener noreferrer nofollow ugc">me@b.test</a></p>\n',
    ],
    ["https://b.test", "<p>https://b.test</p>\n"],
    ["[a](/u/ticket)", "<p><a>a</a></p>\n"],
    ["[a](//b.test)", "<p><a>a</a></p>\n"],
    ["[a](#b)", "<p><a>a</a></p>\n"],
    ["![a *cat*](https://b.test/c.png)", '<p><span class="picture">[Picture: a cat]</span></p>\n'],
    ["![](https://b.test/c.png)", '<p><span class="picture">[Picture]</span></p>\n'],
    ["|a|b|\n|:-:|--|\n|1|2|", expect.stringContaining('<th class="align-center">a</th>\n<th>b</th>')],
  ])("%j", async (text, html) => {
    expect(await render(text)).toEqual(html);
  });

  test.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!-- --><svg onload=alert(1)>",
    "<a href='javascript:alert(1)'>a</a>",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](java\tscript:alert(1))",
    "[a](&#106;avascript:alert(1))",
    "[a](vbscript:x) [a](file:///etc/passwd) [a](data:text/html,<script>alert(1)</script>)",
    "<javascript:alert(1)>",
    "![a](javascript:alert(1)) ![a](data:image/svg+xml,<svg/onload=alert(1)>) ![a](data:image/png;base64,AA)",
    '!["onerror=alert(1) x="](x)',
    '[a](https://b.test/"onmouseover="alert(1))',
    '[a](https://b.test "title\\" onmouseover=alert(1) x=\\"")',
    "[a]\n\n[a]: javascript:alert(1)",
    '```"><script>alert(1)</script>\n</code></pre><script>alert(1)</script>\n```',
    "~~~html onload=alert(1)\n<script>\n~~~",
    "`<script>alert(1)</script>`",
    "|<script>|\n|-|\n|<img src=x onerror=alert(1)>|",
    "&lt;script&gt; &#60;script&#62;",
    "<style>*{display:none}</style><base href=//b.test><form action=//b.test>",
    "\0<script\0>alert(1)</script>",
    "$\\href{javascript:alert(1)}{x}$ $\\url{javascript:alert(1)}$ $\\includegraphics{https://b.test/c.png}$",
    "$\\htmlStyle{display:none}{x}$ $\\htmlId{a}{x}$ $\\htmlClass{a}{x}$ $\\htmlData{a=b}{x}$",
    "$\\text{<script>alert(1)</script>} \\verb|<img src=x onerror=alert(1)>|$",
    '$\\color{red" onclick="alert(1)}x \\colorbox{"onclick=}{x}$ \\(\\textcolor{#f00}{x}\\rule{99em}{99em}\\)',
    "$</math><script>alert(1)</script>$ $\\unicode{x3c}script>$ $\\char60 script\\char62$",
    "```math\n</math><script>alert(1)</script>\n```",
  ])("%j leaves nothing that acts", async (text) => {
    expect(await intruders(text)).toEqual([]);
  });

  test("any text leaves nothing that acts", async () => {
    const piece = fc.constantFrom(
      ..."$ $$ \\\\( \\\\) { } ^ & \\\\text{ \\\\frac \\\\href \\\\boxed{ \\\\begin{aligned} \\\\end{aligned} [ ]( ) ! < > \" ' ` * _ # | - : \\ & ; = / javascript: data: https://b.test <script> onerror= &#58; &quot;".split(
        " ",
      ),
      "\n",
      " ",
      "\t",
      "<!--",
      "-->",
      "<![CDATA[",
    );
    const text = fc.array(fc.oneof(piece, fc.string({ maxLength: 4 })), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(text, async (pieces) => {
        expect(await intruders(pieces.join(""))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ["long", 128_000, 4_000],
    ["of any length", 2_000, 8_000],
  ])(
    "addresses that are %s and used again and again don't grow into a page of gigabytes",
    async (_, length, uses) => {
      const text = `[a]: https://b.test/${"x".repeat(length)}\n\n${"[a] ".repeat(uses)}`;
      expect(String((await renderMarkdown(text, 10_000)) ?? "").length).toBeLessThan(2_000_000);
    },
  );

  test.each([
    ["tables", `${"|a".repeat(500)}|\n${"|-".repeat(500)}|\n${"|\n".repeat(100_000)}`],
    ["brackets", "![".repeat(100_000)],
    ["lists", "* a\n ".repeat(50_000)],
    ["marks", "**a ".repeat(60_000)],
    ["headings", "a\n=\n".repeat(60_000)],
  ])("that takes too long is given up: %s", async (_, text) => {
    expect(await renderMarkdown(text, 5)).toBeUndefined();
  });
});
