import { expect, test } from "bun:test";
import { comesFrom } from "./attachment.ts";

const discord = ["cdn.discordapp.com", "media.discordapp.net"];

for (const [address, hosts, allowed] of [
  ["https://cdn.discordapp.com/attachments/1/2/a.png", discord, true],
  ["https://CDN.discordapp.com/a", discord, true],
  ["https://media.discordapp.net/a", discord, true],
  ["http://cdn.discordapp.com/a", discord, false],
  ["https://cdn.discordapp.com:8443/a", discord, false],
  ["https://cdn.discordapp.com.evil.example/a", discord, false],
  ["https://evil.example/cdn.discordapp.com", discord, false],
  ["https://user@cdn.discordapp.com/a", discord, false],
  ["https://cdn.discordapp.com@evil.example/a", discord, false],
  ["http://169.254.169.254/latest/meta-data", discord, false],
  ["http://127.0.0.1:8080/a", discord, false],
  ["file:///etc/passwd", discord, false],
  ["nonsense", discord, false],
  ["https://files.example.org:8443/a", ["files.example.org:8443"], true],
  ["http://files.example.org:8443/a", ["files.example.org:8443"], false],
  ["http://10.0.0.5:9000/a", ["http://10.0.0.5:9000"], true],
  ["http://10.0.0.5:9001/a", ["http://10.0.0.5:9000"], false],
  ["http://127.0.0.1:9000/a", ["127.0.0.1:9000"], true],
  ["http://127.0.0.1:9000/a", ["127.0.0.1"], true],
  ["http://127.0.0.1:9001/a", ["127.0.0.1:9000"], false],
] as const) {
  test(`${address} ${allowed ? "is taken" : "is refused"} where ${hosts.join(", ")} may be asked`, () => {
    expect(comesFrom(address, hosts)).toBe(allowed);
  });
}
