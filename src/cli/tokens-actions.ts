import { endOf } from "../files/expiry.ts";
import type { TokenRow } from "../files/ports.ts";
import { type ExitCode, exit, type Globals } from "./command.ts";
import { withDesk } from "./files-session.ts";
import { iso, local } from "./files-shown.ts";
import { oneByOne, tellOutcomes } from "./one-by-one.ts";
import { note, print, printJson, table } from "./output.ts";

interface Input {
  globals: Globals;
  json: boolean;
}

/** `tokens list`: everybody's, or one owner's. Nothing in it lets anybody in. */
export async function list({ globals, json, owner }: Input & { owner?: string }): Promise<ExitCode> {
  const { rows, life } = await withDesk(globals, async ({ files }, _, { config }) => {
    return { rows: await files.tokens(owner), life: config.files.tokens_expire_after };
  });
  const expiresAt = ({ createdAt, lastUsedAt }: TokenRow) => endOf(lastUsedAt ?? createdAt, life);
  if (json) {
    printJson(
      rows.map((row) => {
        const { id, name, ownerId, asker, createdAt, lastUsedAt } = row;
        const times = {
          created_at: iso(createdAt),
          last_used_at: iso(lastUsedAt),
          expires_at: iso(expiresAt(row)),
        };
        return { id, name, owner: ownerId, server: asker.guildId, roles: asker.roleIds, ...times };
      }),
    );
  } else if (rows.length === 0) note("No API tokens.");
  else {
    const cells = rows.map((row) => {
      const { id, name, ownerId, createdAt, lastUsedAt } = row;
      return [id, name, ownerId, local(createdAt), local(lastUsedAt), local(expiresAt(row))];
    });
    print(table([["ID", "NAME", "OWNER", "CREATED", "LAST USED", "EXPIRES"], ...cells]));
  }
  return exit.ok;
}

/** `tokens revoke`: tries every id, then fails if one failed. */
export async function revoke({ globals, json, ids }: Input & { ids: string[] }): Promise<ExitCode> {
  const outcomes = await withDesk(globals, ({ files }) =>
    oneByOne(ids, (id) => files.revokeToken(id, "admin")),
  );
  return tellOutcomes(outcomes, { json, done: "revoked" });
}
