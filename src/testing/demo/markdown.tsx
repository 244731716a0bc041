/** @jsxImportSource hono/jsx */
import type { Child } from "hono/jsx";

// The part of Discord's Markdown that wisbot writes and that models answer in:
// https://support.discord.com/hc/en-us/articles/210298617

/** Names for ids in a text. */
export interface Names {
  person(id: string): string;
}

interface Rule {
  pattern: RegExp;
  show(match: RegExpExecArray, inline: (text: string) => Child[], names: Names): Child;
}

const group = (match: RegExpExecArray, index = 1) => match[index] ?? "";

const rules: Rule[] = [
  { pattern: /\\([\\`*_~|>#\-[\]().:@<])/, show: (match) => group(match) },
  { pattern: /`([^`\n]+)`/, show: (match) => <code>{group(match)}</code> },
  { pattern: /\*\*(.+?)\*\*/, show: (match, inline) => <strong>{inline(group(match))}</strong> },
  { pattern: /__(.+?)__/, show: (match, inline) => <u>{inline(group(match))}</u> },
  { pattern: /~~(.+?)~~/, show: (match, inline) => <s>{inline(group(match))}</s> },
  { pattern: /\*(\S[^*\n]*)\*/, show: (match, inline) => <em>{inline(group(match))}</em> },
  { pattern: /(?<!\w)_(\S[^_\n]*)_(?!\w)/, show: (match, inline) => <em>{inline(group(match))}</em> },
  {
    pattern: /<t:(\d{1,12})(?::([a-zA-Z]))?>/,
    show: (match) => <Moment at={Number(group(match))} style={match[2]} />,
  },
  {
    pattern: /<\/([\w -]+):\d+>/,
    show: (match) => (
      <button type="button" class="mention" data-type={`/${group(match)} `}>
        /{group(match)}
      </button>
    ),
  },
  {
    pattern: /<@!?(\d+)>/,
    show: (match, _inline, names) => <span class="mention">@{names.person(group(match))}</span>,
  },
  {
    pattern: /\[([^\]\n]+)\]\((https?:\/\/[^\s)]+)\)/,
    show: (match, inline) => <Link url={group(match, 2)}>{inline(group(match))}</Link>,
  },
  { pattern: /<(https?:\/\/[^\s>]+)>/, show: (match) => <Link url={group(match)}>{group(match)}</Link> },
  {
    pattern: /https?:\/\/[^\s<]+[^\s<.,:;"')\]]/,
    show: (match) => <Link url={group(match, 0)}>{group(match, 0)}</Link>,
  },
];

const Link = ({ url, children }: { url: string; children?: Child }) => (
  <a href={url} target="_blank" rel="noreferrer noopener">
    {children}
  </a>
);

/** Discord shows moments in the reader's own words and time zone: the page's script fills them in. */
const Moment = ({ at, style = "f" }: { at: number; style?: string | undefined }) => {
  const iso = new Date(at * 1000).toISOString();
  return (
    <time datetime={iso} data-style={style}>
      {iso}
    </time>
  );
};

function inlineOf(text: string, names: Names): Child[] {
  const inline = (inner: string) => inlineOf(inner, names);
  const found = rules
    .flatMap((rule) => {
      const match = rule.pattern.exec(text);
      return match ? [{ rule, match }] : [];
    })
    .reduce<{ rule: Rule; match: RegExpExecArray } | undefined>(
      (first, one) => (first && first.match.index <= one.match.index ? first : one),
      undefined,
    );
  if (!found) return [text];
  const { rule, match } = found;
  const before = text.slice(0, match.index);
  const after = text.slice(match.index + match[0].length);
  return [before, rule.show(match, inline, names), ...inline(after)];
}

type Kind = "quote" | "small" | "heading" | "item" | "text";

const kinds: [Kind, RegExp][] = [
  ["quote", /^> ?(?=.)/],
  ["small", /^-# /],
  ["heading", /^#{1,3} /],
  ["item", /^\s*(?:[-*]|\d+\.) /],
];

function lineOf(line: string): { kind: Kind; text: string } {
  const [kind, pattern] = kinds.find(([, pattern]) => pattern.test(line)) ?? (["text", /^/] as const);
  return { kind, text: line.replace(pattern, "") };
}

/** Runs of lines of one kind, in order. */
function blocksOf(text: string): { kind: Kind; lines: string[] }[] {
  const blocks: { kind: Kind; lines: string[] }[] = [];
  for (const line of text.split("\n")) {
    const { kind, text } = lineOf(line);
    const last = blocks.at(-1);
    if (last?.kind === kind && kind !== "heading") last.lines.push(text);
    else blocks.push({ kind, lines: [text] });
  }
  return blocks;
}

function Block({ kind, lines, names }: { kind: Kind; lines: string[]; names: Names }) {
  const whole = inlineOf(lines.join("\n"), names);
  if (kind === "quote") return <blockquote>{whole}</blockquote>;
  if (kind === "small") return <p class="small">{whole}</p>;
  if (kind === "heading") return <p class="heading">{whole}</p>;
  if (kind === "item")
    return (
      <ul>
        {lines.map((line) => (
          <li>{inlineOf(line, names)}</li>
        ))}
      </ul>
    );
  return lines.join("").trim() === "" ? null : (
    <p>{inlineOf(lines.join("\n").replace(/^\n+|\n+$/g, ""), names)}</p>
  );
}

/** A message's text as Discord shows it. */
export function Markdown({ text, names }: { text: string; names: Names }) {
  // A fence that is still open, while an answer is being written, is code up to the end.
  const pieces = text.split(/```(?:([\w+-]+)\n)?/);
  const shown: Child[] = [];
  for (let index = 0; index < pieces.length; index += 2) {
    const isCode = (index / 2) % 2 === 1;
    const piece = pieces[index] ?? "";
    if (isCode) shown.push(<Code text={piece} language={pieces[index - 1]} />);
    else if (piece.trim() !== "")
      shown.push(...blocksOf(piece).map((block) => <Block {...block} names={names} />));
  }
  return <>{shown}</>;
}

const Code = ({ text, language }: { text: string; language: string | undefined }) => (
  <pre data-language={language}>
    <code>{text.replace(/^\n|\n$/g, "")}</code>
  </pre>
);
