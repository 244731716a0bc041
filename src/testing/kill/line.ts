import type { Dice } from "./dice.ts";

export interface Answer {
  status: number;
  headers: Headers;
  bytes: Uint8Array;
}

export interface Question {
  method?: string;
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer>;
}

/** The line from many senders to a server that may be gone at any moment. */
export interface Line {
  /** Undefined: the line broke, with or without the server having done what it was asked for. */
  ask(path: string, question?: Question): Promise<Answer | undefined>;
}

/** Sent so, a body is on its way for a while. */
const SIP = 16_384;

/** `isUp`: whether the server lives, so that a line that breaks is its fault. */
export function createLine({ url, dice, isUp }: { url: string; dice: Dice; isUp(): boolean }): Line {
  function inSips(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
    let at = 0;
    return new ReadableStream({
      async pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(at, at + SIP));
        at += SIP;
        await Bun.sleep(dice.upTo(3));
      },
    });
  }

  return {
    async ask(path, { method = "GET", headers = {}, body } = {}) {
      const slowly = body !== undefined && body.length > SIP && dice.percent(40);
      // Each comes from an address of its own: a limit of requests is not what is looked at here.
      const from = `10.${dice.upTo(255)}.${dice.upTo(255)}.${dice.upTo(255)}`;
      try {
        const response = await fetch(new URL(path, url), {
          method,
          headers: { "x-forwarded-for": from, ...headers },
          keepalive: false,
          redirect: "error",
          ...(body && { body: slowly ? inSips(body) : body }),
        });
        return { status: response.status, headers: response.headers, bytes: await response.bytes() };
      } catch (error) {
        if (isUp())
          throw new Error(`${method} ${path.slice(0, 8)}… broke while the server was up`, { cause: error });
        return undefined;
      }
    },
  };
}

export const textOf = ({ bytes }: Answer) => new TextDecoder().decode(bytes);

/** Throws what the server said when that is not what a sender may expect. */
export function expectStatus(answer: Answer, expected: number[], what: string): void {
  if (expected.includes(answer.status)) return;
  throw new Error(`${what}: ${answer.status} ${textOf(answer).slice(0, 500)}`);
}
