export interface Answer {
  status: number;
  headers: Headers;
}

/** One connection to a server, on which requests are written by hand: fetch would be the slower side of the two. */
export interface RawClient extends Disposable {
  /** Resolves when the system has taken all of it. Rejects when the server refuses or leaves. */
  write(bytes: string | Uint8Array): Promise<void>;
  /** The next answer. Rejects when it is a refusal, or when the server leaves. */
  answer(): Promise<Answer>;
  /** How many answers have come. */
  readonly answers: number;
}

const HEAD_END = "\r\n\r\n";

/** Connects to the server of `url`. `from`: an address of this machine, so that it counts as another client. */
export async function openRawClient(url: string, from = "127.0.0.1"): Promise<RawClient> {
  const { hostname, port } = new URL(url);
  const come: Answer[] = [];
  let answers = 0;
  let received = "";
  let failure: Error | undefined;
  let changed = Promise.withResolvers<void>();

  function change(): void {
    changed.resolve();
    changed = Promise.withResolvers();
  }

  function fail(error: Error): void {
    failure ??= error;
    change();
  }

  /** Takes whole answers off what was received. They are short: text is fine. */
  function takeAnswers(): void {
    for (let end = received.indexOf(HEAD_END); end >= 0; end = received.indexOf(HEAD_END)) {
      const answer = parseHead(received.slice(0, end));
      const whole = end + HEAD_END.length + bodyLength(answer);
      if (received.length < whole) return;
      if (answer.status >= 400) fail(new Error(`the server answered:\n${received.slice(0, whole)}`));
      received = received.slice(whole);
      answers += 1;
      come.push(answer);
    }
    change();
  }

  // Bun's types don't know it yet.
  const local = { localAddress: from };
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    ...local,
    socket: {
      data(_, chunk) {
        received += chunk.toString("latin1");
        takeAnswers();
      },
      drain: change,
      error: (_, error) => fail(error),
      close: () => fail(new Error(`the server closed a connection after:\n${received}`)),
    },
  });

  return {
    get answers() {
      return answers;
    },
    async write(bytes) {
      const all = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
      for (let at = 0; at < all.length; ) {
        const { promise } = changed;
        if (failure) throw failure;
        at += Math.max(0, socket.write(all.subarray(at)));
        if (at < all.length) await promise;
      }
    },
    async answer() {
      for (;;) {
        const { promise } = changed;
        if (failure) throw failure;
        const first = come.shift();
        if (first) return first;
        await promise;
      }
    },
    [Symbol.dispose]: () => socket.terminate(),
  };
}

function parseHead(head: string): Answer {
  const [first = "", ...lines] = head.split("\r\n");
  const headers = new Headers(
    lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]),
  );
  return { status: Number(first.split(" ")[1]), headers };
}

function bodyLength({ status, headers }: Answer): number {
  if (headers.has("transfer-encoding")) throw new Error("an answer without a length");
  return status === 204 ? 0 : Number(headers.get("content-length") ?? 0);
}
