import { type OllamaOptions, type OllamaStandIn, startOllama } from "../ollama.ts";

/** A model server as the page shows it. */
export interface ShownHost {
  name: string;
  url: string;
  /** Undefined: nobody here can start or stop it, or knows how it does. */
  running: boolean | undefined;
  /** Questions that it is answering now. */
  chats: number;
}

/** The model servers that wisbot is given, first the one that it asks first. */
export interface DemoHosts extends AsyncDisposable {
  list(): ShownHost[];
  /** Starts one at the address that it had, or stops it: whatever it was saying breaks off. */
  turn(name: string, on: boolean): Promise<void>;
}

/** Starts a stand-in for each name. */
export async function startHosts(names: string[], options: OllamaOptions): Promise<DemoHosts> {
  const running = new Map<string, OllamaStandIn>();
  await using opened = new AsyncDisposableStack();
  const addresses = new Map<string, { url: string; port: number }>();
  for (const name of names) {
    const host = opened.use(await startOllama(options));
    running.set(name, host);
    addresses.set(name, host);
  }
  opened.move();
  let last: Promise<unknown> = Promise.resolve();

  async function change(name: string, on: boolean): Promise<void> {
    const address = addresses.get(name);
    if (!address) throw new Error(`There is no model server ${name}, only ${names.join(", ")}.`);
    const host = running.get(name);
    if (on && !host) running.set(name, await startOllama({ ...options, port: address.port }));
    if (on || !host) return;
    running.delete(name);
    await host.stop();
  }

  return {
    list: () =>
      [...addresses].map(([name, { url }]) => {
        const host = running.get(name);
        return { name, url, running: host !== undefined, chats: host?.open ?? 0 };
      }),
    turn(name, on) {
      // One after the other: an address is free again only when its server has ended.
      const turning = Promise.allSettled([last]).then(() => change(name, on));
      last = turning;
      return turning;
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([last]);
      for (const host of running.values()) await host.stop();
    },
  };
}

/** The one that somebody has already. */
export function realHost(url: string): DemoHosts {
  return {
    list: () => [{ name: "local", url, running: undefined, chats: 0 }],
    turn: () => Promise.reject(new Error("The demo does not start or stop a model server of yours.")),
    async [Symbol.asyncDispose]() {},
  };
}
