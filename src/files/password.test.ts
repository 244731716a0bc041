import { expect, test } from "bun:test";
import fc from "fast-check";
import { isWisError } from "../errors.ts";
import { codeOf } from "../testing/file-desk.ts";
import { createDoors, hashPassword } from "./password.ts";

const HOUR = 3_600_000;
const key = Buffer.alloc(32, 7);

async function openDoors() {
  const clock = { now: 1_000_000 };
  const doors = createDoors({ key, now: () => clock.now });
  const share = { id: "s".repeat(22), passwordHash: await hashPassword("secret") };
  return { clock, doors, share };
}

test("a password is kept as argon2id, and never twice the same", async () => {
  const [one, other] = [await hashPassword("secret"), await hashPassword("secret")];
  expect(one).toStartWith("$argon2id$v=19$m=19456,t=2,p=1$");
  expect(one).not.toBe(other);
  expect(one).not.toContain("secret");
});

test("who knows the password gets a pass that is good for twelve hours", async () => {
  const { clock, doors, share } = await openDoors();
  expect(doors.admits(share, [])).toBe(false);
  const pass = await doors.unlock(share, "secret");
  expect(doors.admits(share, ["other", pass])).toBe(true);
  clock.now += 12 * HOUR - 1;
  expect(doors.admits(share, [pass])).toBe(true);
  clock.now += 1;
  expect(doors.admits(share, [pass])).toBe(false);
});

test("anything else is not the password", async () => {
  const { doors, share } = await openDoors();
  for (const wrong of ["", "Secret", "secret ", "secre", "secret\0", "x".repeat(100_000)]) {
    expect(await codeOf(doors.unlock(share, wrong))).toBe("password.wrong");
  }
});

test("a pass opens the share that it is for, with the password that it was given for, by the key that signed it", async () => {
  const { clock, doors, share } = await openDoors();
  const pass = await doors.unlock(share, "secret");
  expect(doors.admits({ ...share, id: "t".repeat(22) }, [pass])).toBe(false);
  expect(doors.admits({ ...share, passwordHash: await hashPassword("secret") }, [pass])).toBe(false);
  const elsewhere = createDoors({ key: Buffer.alloc(32, 8), now: () => clock.now });
  expect(elsewhere.admits(share, [pass])).toBe(false);
});

test("no pass that was not handed out is good, whatever is changed in one", async () => {
  const { doors, share } = await openDoors();
  const pass = await doors.unlock(share, "secret");
  const [until = "", signature = ""] = pass.split(".");
  const later = [`${Number(until) + 1}.${signature}`, `9e15.${signature}`, `Infinity.${signature}`];
  const bare = ["", ".", until, `${until}.`, `.${signature}`, `NaN.${signature}`, `${pass}x`, `x${pass}`];
  for (const forged of [...later, ...bare]) expect(doors.admits(share, [forged])).toBe(false);
  fc.assert(
    fc.property(fc.nat(pass.length - 1), fc.constantFrom(..."0aZ-_.9"), (at, letter) => {
      const changed = pass.slice(0, at) + letter + pass.slice(at + 1);
      expect(doors.admits(share, [changed])).toBe(changed === pass);
    }),
  );
});

test("a share without a password is open, and asks for no work", async () => {
  const { doors } = await openDoors();
  const open = { id: "s".repeat(22), passwordHash: null };
  expect(doors.admits(open, [])).toBe(true);
  expect(await doors.unlock(open, "anything")).toBe("");
});

test("a password of more than a kilobyte is refused before it is hashed", async () => {
  expect(await hashPassword("x".repeat(1024))).toBeString();
  expect(await codeOf(hashPassword("x".repeat(1025)))).toBe("share.invalid");
  expect(await codeOf(hashPassword("ä".repeat(513)))).toBe("share.invalid");
});

test("of many at once a few are hashed, some wait, and the rest is told to come again", async () => {
  const { doors, share } = await openDoors();
  const all = await Promise.allSettled(Array.from({ length: 60 }, () => doors.unlock(share, "secret")));
  const refused = all.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  expect(refused.every((error) => isWisError(error) && error.code === "rate_limited")).toBe(true);
  expect(refused).toHaveLength(60 - 34);
  expect(await doors.unlock(share, "secret")).toBeString();
}, 20_000);

test("wrong passwords give their turn back", async () => {
  const { doors, share } = await openDoors();
  for (let round = 0; round < 2; round += 1) {
    const wrong = Array.from({ length: 10 }, () => codeOf(doors.unlock(share, "wrong")));
    expect(new Set(await Promise.all(wrong))).toEqual(new Set(["password.wrong"]));
  }
  expect(await doors.unlock(share, "secret")).toBeString();
}, 20_000);
