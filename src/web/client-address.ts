import { isIP } from "node:net";
import proxyAddr from "proxy-addr";
import { WisError } from "../errors.ts";

export type ResolveClient = (peer: string, forwardedFor: string | undefined) => string;

/** True for addresses of this machine itself. */
export const isLoopback = (address: string): boolean => loopback(address, 0);

/** True for addresses that the internet does not route: where a proxy of ours would be. */
export const isNearby = (address: string): boolean => nearby(address, 0);

const loopback = proxyAddr.compile("loopback");
const nearby = proxyAddr.compile(["loopback", "linklocal", "uniquelocal"]);

/**
 * Who sent a request. `X-Forwarded-For` grows to the right, so it is read from there, and only for as long as the
 * hop that wrote an entry is trusted: whatever a client put into it stays unread.
 * `trusted`: addresses, CIDR ranges, or the words loopback, linklocal, uniquelocal. [config.invalid]
 */
export function clientResolver(trusted: string[]): ResolveClient {
  const trusts = compileTrust(trusted);
  return (peer, forwardedFor) => {
    if (forwardedFor === undefined) return peer;
    const hops = forwardedFor.split(",").map((hop) => hop.trim());
    let client = peer;
    while (trusts(client, 0)) {
      const before = hops.pop();
      if (before === undefined || isIP(before) === 0) break;
      client = before;
    }
    return client;
  };
}

function compileTrust(trusted: string[]): (address: string, hop: number) => boolean {
  try {
    return proxyAddr.compile(trusted);
  } catch (cause) {
    throw new WisError("config.invalid", {
      say: `web.trusted_proxies holds something that is neither an address nor a range: ${trusted.join(", ")}.`,
      hint: "Write addresses such as 10.0.0.2, ranges such as 172.16.0.0/12, or loopback.",
      cause,
    });
  }
}

/**
 * What limits count a client by. An IPv6 customer owns at least a /64 and can take any address in it, so the
 * first four groups stand for all of it.
 */
export function clientKey(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1]) return mapped[1];
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const after = tail === "" ? [] : tail.split(":");
    groups.push(
      ...Array.from({ length: Math.max(0, 8 - groups.length - after.length) }, () => "0"),
      ...after,
    );
  }
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
