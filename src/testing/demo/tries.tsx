/** @jsxImportSource hono/jsx */
import type { Child } from "hono/jsx";
import { addressOf, nameOf, titleOf } from "./places.ts";

/** One thing to send, as somebody somewhere. */
interface Step {
  as: string;
  channel: string;
  line: string;
  /** The name of a sample to go along. */
  file?: string;
  /** What is done when it is written there, before it is sent. */
  before?: string;
}

interface Try {
  /** The promise, in a line. */
  title: string;
  steps: Step[];
  /** What is to be seen then. */
  seen: string;
  /** Only the stand-ins can do that. */
  standIns?: boolean;
}

const STORY = "/wis llm Tell me a long story.";
const REMEMBER = "What did I tell you?";

const tries: Try[] = [
  {
    title: "Two talk, and no word crosses over",
    steps: [
      { as: "ada", channel: "general", line: "/wis llm My number is 1815." },
      { as: "ben", channel: "general", line: "/wis llm My number is 1912." },
      { as: "ben", channel: "lounge", line: "/wis llm My number is 1864." },
      {
        as: "ada",
        channel: "general",
        line: REMEMBER,
        before: "Before you send it, press Reply under Ada's answer.",
      },
      {
        as: "ben",
        channel: "lounge",
        line: REMEMBER,
        before: "Before you send it, press Reply under the answer.",
      },
    ],
    seen: "Each time the model is given one number of the three: in #general Ada's, in #lounge what Ben told it in that server.",
  },
  {
    title: "Who waits sees the place move",
    standIns: true,
    steps: ["ada", "ben", "cyd", "mia"].map((as) => ({ as, channel: "general", line: STORY })),
    seen: "Each server answers one question at a time. Mia starts at place 2 and moves up as answers end, or as somebody presses Stop.",
  },
  {
    title: "A dead server's queue moves on",
    standIns: true,
    steps: ["ada", "ben", "cyd", "mia"].map((as) => ({ as, channel: "general", line: STORY })),
    seen: "Stop the server first below while it answers: Ada's answer says that it broke off, and who waits is answered by second. Start it again, and wisbot finds out by itself.",
  },
  {
    title: "A long talk says what it dropped",
    standIns: true,
    steps: [
      "Tell me all you know.",
      "Once more: tell me all you know.",
      "And again all you know.",
      "And now: what did I tell you?",
    ].map((line) => ({ as: "ada", channel: "dm", line })),
    seen: "The model takes 2,048 tokens. What came first is gone, and the small print counts what no longer fits.",
  },
  {
    title: "A picture and a PDF are read",
    steps: [
      { as: "ben", channel: "general", line: "/wis llm What is on this?", file: "picture.png" },
      { as: "ben", channel: "general", line: "@WisBot What does it say?", file: "paper.pdf" },
    ],
    seen: "Attach files of your own too. The stand-in says what reached it; a real model answers.",
  },
  {
    title: "A table of 60 rows arrives whole",
    standIns: true,
    steps: [{ as: "cyd", channel: "general", line: "/wis llm Show me a long table." }],
    seen: "And a fence within a fence before it. What no message can hold comes as a file, to the last row.",
  },
  {
    title: "Thinking stands behind a button",
    standIns: true,
    steps: [{ as: "cyd", channel: "general", line: "/wis llm Think: why is the sky blue?" }],
    seen: "Press Show thinking below the answer.",
  },
  {
    title: "A question about a message",
    steps: [{ as: "ben", channel: "general", line: "The sky is blue because the sea is." }],
    seen: "Press Ask WisBot about this below that message: in Discord it stands in a message's menu, under Apps.",
  },
  {
    title: "Your data: take it, then erase it",
    steps: [
      { as: "ada", channel: "general", line: "/wis export" },
      { as: "ada", channel: "general", line: "/wis forget" },
    ],
    seen: "The copy is a JSON file, the erasure comes with a receipt.",
  },
];

const StepLink = ({ step }: { step: Step }) => {
  const { as, channel, line, file, before } = step;
  return (
    <li>
      <a href={addressOf({ as, channel, line, ...(file !== undefined && { file }) })} data-step>
        <span>
          {nameOf(as)}, {titleOf(channel)}
          {file && ` with ${file}`}
        </span>{" "}
        <code>{line}</code>
      </a>
      {before && <span> {before}</span>}
    </li>
  );
};

const Section = ({ title, children }: { title: string; children?: Child }) => (
  <details id="tries" class="tries" data-kept open>
    <summary>
      <h2>{title}</h2>
    </summary>
    {children}
  </details>
);

/** What a newcomer can see for themselves, a click at a time. `standIns`: no real model answers. */
export function Tries({ standIns }: { standIns: boolean }) {
  const shown = tries.filter((one) => standIns || !one.standIns);
  return (
    <Section title="Things to try">
      <p class="lead">Choose a step: it is written into the message line for you. Send it.</p>
      <ul>
        {shown.map(({ title, steps, seen }, index) => (
          <li>
            <details id={`try-${index}`} name="try" data-kept>
              <summary>{title}</summary>
              <ol>
                {steps.map((step) => (
                  <StepLink step={step} />
                ))}
              </ol>
              <p>{seen}</p>
            </details>
          </li>
        ))}
      </ul>
    </Section>
  );
}
