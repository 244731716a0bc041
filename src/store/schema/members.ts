import { type SQL, sql } from "drizzle-orm";
import {
  type AnySQLiteColumn,
  check,
  index,
  integer,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import type { Asker } from "../../members/member.ts";

/** When a token was last of use to anybody. Not coalesce: drizzle-kit 0.31 cuts an expression with a comma in two. */
export const lastSeen = ({
  lastUsedAt,
  createdAt,
}: Record<"lastUsedAt" | "createdAt", AnySQLiteColumn>): SQL =>
  sql`case when ${lastUsedAt} is null then ${createdAt} else ${lastUsedAt} end`;

/** API tokens. Only their hashes: a stolen database uploads nothing. */
export const tokens = sqliteTable(
  "tokens",
  {
    id: text("id").primaryKey(),
    hash: text("hash").notNull(),
    ownerId: text("owner_id").notNull(),
    asker: text("asker", { mode: "json" }).$type<Asker>().notNull(),
    name: text("name").notNull(),
    createdAt: integer("created_at").notNull(),
    lastUsedAt: integer("last_used_at"),
  },
  (token) => [
    uniqueIndex("tokens_hash").on(token.hash),
    index("tokens_owner").on(token.ownerId, token.createdAt, token.id),
    index("tokens_last_seen").on(lastSeen(token)),
    check("tokens_asker", sql`json_valid(${token.asker})`),
  ],
);

/** What members have chosen. No row: everything as it comes. */
export const members = sqliteTable("members", {
  id: text("id").primaryKey(),
  remindersOff: integer("reminders_off", { mode: "boolean" }).notNull(),
  /** Null: the one of where they ask. */
  model: text("model"),
});

/** Admins who may sign in or have: a link, and the session that it opened. Only hashes: a stolen database lets nobody in. */
export const adminKeys = sqliteTable(
  "admin_keys",
  {
    linkHash: text("link_hash").primaryKey(),
    /** Null until the link is used. */
    sessionHash: text("session_hash"),
    /** Of the link; once that is used, of the session. */
    endsAt: integer("ends_at").notNull(),
  },
  (key) => [
    uniqueIndex("admin_keys_session").on(key.sessionHash).where(sql`${key.sessionHash} is not null`),
    index("admin_keys_ends").on(key.endsAt),
  ],
);

/** Random keys that wisbot made for itself, in base64url. */
export const keys = sqliteTable("keys", { name: text("name").primaryKey(), value: text("value").notNull() });
