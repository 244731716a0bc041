import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isWisError } from "../errors.ts";
import { clientKey, clientResolver, isLoopback } from "./client-address.ts";

const PROXY = "10.0.0.2";
const CLIENT = "203.0.113.7";

describe("X-Forwarded-For", () => {
  test.each([
    ["is not believed from a peer that is no trusted proxy", [], "198.51.100.1", CLIENT, "198.51.100.1"],
    ["is believed from a trusted proxy", [PROXY], PROXY, CLIENT, CLIENT],
    [
      "is read from the right: what the client forged stays unread",
      [PROXY],
      PROXY,
      `127.0.0.1, 1.1.1.1, ${CLIENT}`,
      CLIENT,
    ],
    ["is followed through several trusted proxies", ["10.0.0.0/8"], PROXY, `${CLIENT}, 10.9.9.9`, CLIENT],
    ["names the proxy when it is empty", [PROXY], PROXY, undefined, PROXY],
    ["names the proxy when it is garbage", [PROXY], PROXY, "<script>", PROXY],
    ["is believed from IPv4-mapped peers", [PROXY], `::ffff:${PROXY}`, CLIENT, CLIENT],
    ["knows the names of ranges", ["loopback"], "::1", CLIENT, CLIENT],
  ])("%s", (_, trusted, peer, header, expected) => {
    expect(clientResolver(trusted)(peer, header)).toBe(expected);
  });

  test("never lets an untrusted client choose who it is", () => {
    const resolve = clientResolver([PROXY]);
    fc.assert(fc.property(fc.string(), (forged) => resolve(PROXY, `${forged}, ${CLIENT}`) === CLIENT));
    fc.assert(fc.property(fc.string(), (forged) => resolve(CLIENT, forged) === CLIENT));
  });

  test("an entry of trusted_proxies that is no address is refused with its name", () => {
    expect(() => clientResolver(["my-proxy"])).toThrow("my-proxy");
    try {
      clientResolver(["10.0.0.0/99"]);
      expect.unreachable();
    } catch (error) {
      expect(isWisError(error, "config.invalid")).toBe(true);
    }
  });
});

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::1", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
])("%s counts as %s", (address, key) => {
  expect(clientKey(address)).toBe(key);
});

test("a customer with a whole /64 counts as one client", () => {
  const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
  const rest = fc.tuple(group, group, group, group).map((groups) => groups.join(":"));
  fc.assert(
    fc.property(rest, rest, (a, b) => clientKey(`2001:db8:1:2:${a}`) === clientKey(`2001:db8:1:2:${b}`)),
  );
});

test("this machine's own addresses are loopback, and no others", () => {
  expect(["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"].every(isLoopback)).toBe(true);
  expect(["10.0.0.1", "::", "unknown", "127.0.0.1.evil"].some(isLoopback)).toBe(false);
});
