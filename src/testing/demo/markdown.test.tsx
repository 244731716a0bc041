/** @jsxImportSource hono/jsx */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Markdown } from "./markdown.tsx";

const names = { person: (id: string) => (id === "7" ? "Ada" : "unknown") };
const html = (text: string) => String(<Markdown text={text} names={names} />);

test.each([
  ["**bold** and *italic*", "<p><strong>bold</strong> and <em>italic</em></p>"],
  ["`**raw**`", "<p><code>**raw**</code></p>"],
  [String.raw`a\*b\*c snake_case_name`, "<p>a*b*c snake_case_name</p>"],
  ["> quoted\n-# small", '<blockquote>quoted</blockquote><p class="small">small</p>'],
  ["- one\n- two", "<ul><li>one</li><li>two</li></ul>"],
  ["<@7>", '<p><span class="mention">@Ada</span></p>'],
  ["```ts\na < b\n```", '<pre data-language="ts"><code>a &lt; b</code></pre>'],
  ["before\n```\nstill open", "<p>before</p><pre><code>still open</code></pre>"],
  [
    "</wis help:12>",
    '<p><button type="button" class="mention" data-type="/wis help ">/wis help</button></p>',
  ],
])("%j is shown as Discord shows it", (text, shown) => {
  expect(html(text)).toBe(shown);
});

test("links open elsewhere and end before the full stop", () => {
  expect(html("See http://127.0.0.1:8080/u/abc.")).toContain(
    '<a href="http://127.0.0.1:8080/u/abc" target="_blank" rel="noreferrer noopener">',
  );
  expect(html("[x](javascript:alert(1))")).not.toContain("<a");
});

test("a moment is left to the reader's clock", () => {
  expect(html("<t:1700000000:R>")).toContain('<time datetime="2023-11-14T22:13:20.000Z" data-style="R">');
});

test("no text becomes markup of its own", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."<>&\"'`*_~[]()/:#> -\n\\at1h".split("")) }), (text) => {
      const tags = html(`${text}<script>x</script>`).match(/<[a-z]+/g) ?? [];
      const known = [
        "p",
        "strong",
        "em",
        "u",
        "s",
        "code",
        "pre",
        "ul",
        "li",
        "blockquote",
        "time",
        "a",
        "span",
        "button",
      ];
      expect(tags.filter((tag) => !known.includes(tag.slice(1)))).toEqual([]);
    }),
  );
});
