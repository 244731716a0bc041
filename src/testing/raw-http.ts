import { connect } from "node:net";

/** A connection on which a test writes bytes that no HTTP client would. */
export interface RawConnection extends Disposable {
  write(part: string | Uint8Array): Promise<void>;
  /** Resolves with everything received once it contains `part`. Rejects when the connection closes before. */
  until(part: string): Promise<string>;
  /** Resolves with everything received when the other side has closed. */
  closed: Promise<string>;
}

export async function openRaw(port: number): Promise<RawConnection> {
  const socket = connect(port, "127.0.0.1");
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<string>();
  let received = "";
  const waiting = new Set<() => void>();
  socket.on("connect", opened.resolve);
  // A reset is a way to close.
  socket.on("error", (error) => opened.reject(error));
  socket.on("data", (data) => {
    received += data.toString("latin1");
    for (const look of waiting) look();
  });
  socket.on("close", () => closed.resolve(received));
  await opened.promise;

  return {
    write: (part) =>
      new Promise((resolve) => {
        socket.write(part, () => resolve());
      }),
    async until(part) {
      const found = Promise.withResolvers<string>();
      const look = () => {
        if (received.includes(part)) found.resolve(received);
      };
      waiting.add(look);
      look();
      void closed.promise.then((all) => found.reject(new Error(`closed before ${part}: ${all}`)));
      try {
        return await found.promise;
      } finally {
        waiting.delete(look);
      }
    },
    closed: closed.promise,
    [Symbol.dispose]: () => socket.destroy(),
  };
}

/** One request as it is written, since fetch would tidy it up. Gives the whole answer. */
export async function requestRaw(
  port: number,
  head: string,
  body = "",
): Promise<{ status: number; answer: string }> {
  using connection = await openRaw(port);
  await connection.write(`${head}\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n${body}`);
  const answer = await connection.closed;
  return { status: Number(answer.split(" ")[1]), answer };
}
