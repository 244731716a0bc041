/** A port that was free on `hostname` a moment ago: for what has to be named before it is opened. */
export function freePort(hostname = "127.0.0.1"): number {
  const held = Bun.listen({ hostname, port: 0, socket: { data() {} } });
  held.stop(true);
  return held.port;
}
