import { WisError } from "../../errors.ts";
import { askHere } from "../ask-here.ts";
import { isEmpty, promptAbout, quoteOf, WHAT_OF_IT } from "../quote.ts";
import type { MessageCommand } from "./command.ts";

export const askAbout: MessageCommand = {
  name: "Ask WisBot about this",

  async run(deps, asked) {
    const quote = quoteOf(asked.interaction.targetMessage);
    if (isEmpty(quote)) throw nothingThere();
    const { name, text, attachments } = quote;
    await askHere(deps, asked, {
      prompt: text ? promptAbout(quote, WHAT_OF_IT) : WHAT_OF_IT,
      question: `${name}: ${text || attachments.map((one) => one.name).join(", ")}`,
      enclosures: attachments,
      private: false,
      thread: false,
    });
  },
};

function nothingThere(): WisError {
  return new WisError("bad_request", {
    say: "There is nothing in that message that I could read.",
    hint: "Choose one with text or a file.",
  });
}
