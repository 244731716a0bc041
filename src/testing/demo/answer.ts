const ANSWER = `I am a **stand-in**, not a model: these words were written beforehand, and they come one by one as a real model's would.

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

/** The stand-in's words for a question, token by token. */
export function answerTokens(question: string): string[] {
  const count = question.trim().split(/\s+/).length;
  return ANSWER.replace("{count}", String(count)).match(/\s*\S+/g) ?? [];
}
