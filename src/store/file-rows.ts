import { and, eq, getTableColumns, inArray, not, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { blobs, files, is } from "./schema.ts";
import { given } from "./sql.ts";

// What statements about files have in common: the columns that are shown, and the rows that are meant.

const { ticketHash: _ticket, aliveAt: _alive, remindedAt: _reminded, ...shown } = getTableColumns(files);

/** A row as the port shows it: without its ticket, its heartbeat and what its owner was told. */
export const fileRow = shown;

const { key, sha256, size, crc32, place } = getTableColumns(blobs);

/** A blob as the port shows it. */
export const blobRow = { key, sha256, size, crc32, place };

export const byId = eq(files.id, given("id"));
export const byTicket = eq(files.ticketHash, given("ticketHash"));
const byIds = inArray(files.id, sql`(select value from json_each(${given("ids")}))`);
export const areDeleting = and(byIds, is(files.state, "deleting"));
export const areUploading = and(byIds, is(files.state, "uploading"));
export const isUploading = and(byId, is(files.state, "uploading"));
export const isSilent = sql`${files.aliveAt} < ${given("silentSince")}`;
export const member = alias(files, "member");
export const hasMembers = sql`exists (select 1 from ${files} as ${sql.identifier("member")} where ${eq(member.parentId, files.id)})`;
/** A bundle goes with the last of its members: nobody would find them without it. */
export const areRemovable = and(areDeleting, not(hasMembers));
