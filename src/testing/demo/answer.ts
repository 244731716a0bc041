import type { GivenWith, ScriptedToken } from "../model-chats.ts";

// The stand-in's words. It answers with what it was given, so that what a model gets to read can be seen.

const USUAL = `I am a **stand-in**, not a model: these words were written beforehand, and they come one by one as a real model's would.

Your question had {count} words. What you see here is real all the same:

- wisbot took your question from Discord's gateway and answered within milliseconds
- it waited for a slot on a model host and opened a stream
- every word arrives as its own chunk, and the message is edited as often as Discord's limits let it be
- the **Stop** button below ends it, for you and for moderators

\`\`\`ts
for await (const chunk of host.chat({ model, messages, signal })) {
  if (chunk.type === "text") view.append(chunk.text);
}
\`\`\`

To talk to a model of your own, install Ollama, pull one, and start the demo with \`--ollama http://127.0.0.1:11434\`. Nothing else changes: the same command, the same message, the same button.

That was all that I have to say. A model would have gone on.`;

const THOUGHTS =
  "The question asks for a reason. First I look at what is given: light, air, an eye. Short waves are scattered more than long ones. So the sky should look blue, and at sunset, on a longer way through the air, red.";
const CONCLUSION =
  "Because air scatters short waves more than long ones. What I thought before I said so stands behind the button **Show thinking**.";

const TABLE_ROWS = 60;

/**
 * Nights in all that it knows, 2,900 bytes. Of the demo's 2,048 tokens a prompt has 1,536, and wisbot guesses from 3 to 6
 * bytes a token, by what it has seen counted so far: one such answer fits always, three never do.
 */
const LONG_ANSWER = 18;

interface Asked extends GivenWith {
  question: string;
  documents: { name: string; text: string }[];
}

interface Script {
  fits(asked: Asked): boolean;
  says(asked: Asked): ScriptedToken[];
}

const says = (pattern: RegExp) => (asked: Asked) => pattern.test(asked.question);

/** The first one that fits answers. */
const scripts: Script[] = [
  { fits: ({ images, documents }) => images + documents.length > 0, says: (asked) => words(seen(asked)) },
  { fits: says(/did I (?:tell|ask)/i), says: (asked) => words(remembered(asked)) },
  { fits: says(/\btable\b/i), says: () => table().match(/.*\n+|.+$/g) ?? [] },
  { fits: says(/\bstory\b/i), says: () => words(nights(14).join("")) },
  { fits: says(/all you know/i), says: () => nights(LONG_ANSWER) },
  {
    fits: says(/\bthink\b/i),
    says: () => [...words(THOUGHTS).map((thinking) => ({ thinking })), ...words(CONCLUSION)],
  },
  {
    fits: () => true,
    says: (asked) => words(USUAL.replace("{count}", String(words(asked.question).length))),
  },
];

/** The stand-in's words for a question as wisbot puts it to a model, token by token. */
export function answerTokens(prompt: string, given: GivenWith): ScriptedToken[] {
  const asked = { ...given, question: questionOf(prompt), documents: documentsOf(prompt) };
  return scripts.find(({ fits }) => fits(asked))?.says(asked) ?? [];
}

const words = (text: string) => text.match(/\s*\S+/g) ?? [];

/** A file as a prompt carries it: between a mark with its name and the same mark again. */
const FILE = /<file (\w+) name="([^"]*)"[^>]*>\n([\s\S]*?)\n<\/file \1>/g;

function documentsOf(prompt: string): Asked["documents"] {
  return [...prompt.matchAll(FILE)].map(([, , name = "", text = ""]) => ({ name, text }));
}

/** What stands below the files. */
function questionOf(prompt: string): string {
  const last = [...prompt.matchAll(FILE)].at(-1);
  return last ? prompt.slice(last.index + last[0].length).trim() : prompt;
}

function seen({ images, documents }: Asked): string {
  const pictures = images === 1 ? "1 picture" : `${images} pictures`;
  const lines = [
    ...(images > 0 ? [`- **${pictures}**, as a model with eyes gets them`] : []),
    ...documents.map(({ name, text }) => `- **${name}**, which begins: “${excerpt(text)}”`),
  ];
  return `With your question I was given:\n${lines.join("\n")}`;
}

function remembered({ earlier }: Asked): string {
  if (earlier.length === 0) return "Nothing: your question is the first that I read in this conversation.";
  const lines = earlier.map((prompt) => `- ${excerpt(questionOf(prompt))}`);
  return `Before this question I was given these, and no others:\n${lines.join("\n")}`;
}

const excerpt = (text: string) => words(text).slice(0, 14).join("").trim();

/** Parts of a story of about 30 words each. */
function nights(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const night = index + 1;
    return `**Night ${night}.** The keeper lit the lamp, counted ${3 * night} ships that went by in the dark, wrote the number into the book, and told nobody which of them had not answered.\n\n`;
  });
}

function table(): string {
  const rows = Array.from({ length: TABLE_ROWS }, (_, index) => {
    const row = index + 1;
    return `| ${row} | ${row ** 2} | ${row ** 3} | ${Math.sqrt(row).toFixed(4)} |`;
  });
  return [
    "A table of 60 rows, and before it a fence within a fence:",
    "````md\n# How to show code\n```ts\nconst answer = 42;\n```\n````",
    `| number | square | cube | root |\n| ---: | ---: | ---: | ---: |\n${rows.join("\n")}`,
    "That was the last row.",
  ].join("\n\n");
}
