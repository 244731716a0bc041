import { expect, test } from "bun:test";
import { mayManage } from "./member.ts";

const member = (id: string, moderator: boolean) => ({
  id,
  name: "somebody",
  asker: { guildId: null, roleIds: [] },
  moderator,
});

test("owners manage what is theirs, moderators everything, others nothing", () => {
  expect(mayManage(member("1", false), "1")).toBe(true);
  expect(mayManage(member("2", true), "1")).toBe(true);
  expect(mayManage(member("2", false), "1")).toBe(false);
});
