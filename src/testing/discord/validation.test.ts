import { expect, test } from "bun:test";
import { startDiscord } from "./index.ts";
import { ok, route } from "./rest/route.ts";
import { openValidation } from "./validation.ts";

const described = test.skipIf(!process.env.DISCORD_OPENAPI);

described("a body that Discord's description forbids is refused and noted", async () => {
  const discord = await startDiscord();
  const response = await fetch(`${discord.api}/v10/channels/${discord.channel("general").id}/messages`, {
    method: "POST",
    headers: { authorization: `Bot ${discord.token}`, "content-type": "application/json" },
    body: JSON.stringify({ content: 5 }),
  });
  expect([response.status, (await response.json()).code]).toEqual([400, 50035]);
  await expect(discord.stop()).rejects.toThrow(
    "POST /channels/{channel_id}/messages request: content must be string",
  );
});

described("an answer or an event of the stand-in that the description forbids is noted", async () => {
  const noted: string[] = [];
  const validation = await openValidation(process.env.DISCORD_OPENAPI, (text) => void noted.push(text));
  const me = route("GET /users/@me", () => ok({}));
  validation.response(me, ok({ id: "not an id" }));
  validation.response(me, ok({}, 299));
  validation.object("MessageResponse", { id: "1" }, "gateway MESSAGE_CREATE");
  expect(noted[0]).toContain("GET /users/@me answer 200: ");
  expect(noted[0]).toContain("id must match pattern");
  expect(noted[1]).toContain("status 299");
  expect(noted[2]).toContain("gateway MESSAGE_CREATE: body must have required property 'type'");
});
