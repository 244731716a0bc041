import { and, asc, desc, eq, getTableColumns, isNotNull, isNull, type SQL, sql } from "drizzle-orm";
import type { Connection } from "./connection.ts";
import { attempts, shownIn, turnImages, turnMessages, turns } from "./schema.ts";
import { given } from "./sql.ts";

type Db = Connection["db"];

const byId = eq(turns.id, given("id"));
const isOpen = and(byId, isNull(turns.endedAt));
const hasEnded = isNotNull(turns.endedAt);
const byConversation = eq(turns.conversation, given("conversation"));
const byUser = eq(turns.userId, given("userId"));

/** Rows of a page of one member's turns. */
export const PAGE = 200;

/** What is asked and said of single turns. */
export function prepareTurns(db: Db) {
  const ofUser = (after: SQL | undefined) =>
    db
      .select()
      .from(turns)
      .where(and(byUser, after))
      .orderBy(asc(turns.createdAt), asc(turns.id))
      .limit(PAGE)
      .prepare();
  return {
    insert: db
      .insert(turns)
      .values({
        id: sql.placeholder("id"),
        conversation: sql.placeholder("conversation"),
        parentId: sql.placeholder("parentId"),
        depth: sql.placeholder("depth"),
        tokens: sql.placeholder("tokens"),
        userId: sql.placeholder("userId"),
        userName: sql.placeholder("userName"),
        model: sql.placeholder("model"),
        state: "queued",
        place: sql.placeholder("place"),
        createdAt: sql.placeholder("createdAt"),
        question: sql.placeholder("question"),
        documents: sql.placeholder("documents"),
      })
      .prepare(),
    addImage: db
      .insert(turnImages)
      .values({ turnId: given("turnId"), position: given("position"), bytes: given("bytes") })
      .prepare(),
    /** Of a turn that is there: it may have been erased while its answer was being written. */
    showIn: db
      .insert(turnMessages)
      .select(sql`select ${given("messageId")}, ${turns.id} from ${turns} where ${byId}`)
      .onConflictDoUpdate({ target: turnMessages.messageId, set: { turnId: sql`excluded.turn_id` } })
      .prepare(),
    move: db
      .update(turns)
      .set({ place: sql`json_set(${turns.place}, '$.messageId', ${given("messageId")})` })
      .where(byId)
      .prepare(),
    answering: db
      .update(turns)
      .set({ state: "answering", model: given("model") })
      .where(isOpen)
      .prepare(),
    // The first end is the end: a Stop that comes with the last word changes nothing.
    end: db
      .update(turns)
      .set({
        state: given("state"),
        endedAt: given("endedAt"),
        text: given("text"),
        thinking: given("thinking"),
        tokens: given("tokens"),
        errorCode: given("errorCode"),
      })
      .where(isOpen)
      .returning({ userId: turns.userId, createdAt: turns.createdAt })
      .prepare(),
    vote: db
      .update(turns)
      .set({ vote: given("vote") })
      .where(and(byId, byUser))
      .returning({ id: turns.id })
      .prepare(),
    voteInHistory: db
      .update(attempts)
      .set({ vote: given("vote") })
      .where(eq(attempts.turnId, given("id")))
      .prepare(),
    unfinished: db.select().from(turns).where(isNull(turns.endedAt)).orderBy(turns.createdAt).prepare(),
    find: db.select().from(turns).where(byId).prepare(),
    shownBy: db
      .select(getTableColumns(turns))
      .from(turnMessages)
      .innerJoin(turns, eq(turns.id, turnMessages.turnId))
      .where(eq(turnMessages.messageId, given("messageId")))
      .prepare(),
    latest: db
      .select()
      .from(turns)
      .where(and(byConversation, sql`${turns.text} <> ''`))
      .orderBy(desc(turns.createdAt), desc(turns.id))
      .limit(1)
      .prepare(),
    path: db
      .select(getTableColumns(turns))
      .from(walkUp)
      .crossJoin(turns)
      .where(eq(turns.id, sql`walk.at`))
      .prepare(),
    images: db
      .select({ turnId: turnImages.turnId, bytes: sql<Uint8Array>`${turnImages.bytes}` })
      .from(turnImages)
      .where(eq(turnImages.turnId, given("turnId")))
      .orderBy(turnImages.position)
      .prepare(),
    firstOfUser: ofUser(undefined),
    // The pair, not the id's row: that one may be gone when the next page is asked for.
    nextOfUser: ofUser(sql`(${turns.createdAt}, ${turns.id}) > (${given("createdAt")}, ${given("id")})`),
  };
}

/**
 * From a turn upward, as far as the bounds allow. A chain's rows leave the recursion in the order in which they enter
 * it (https://sqlite.org/lang_with.html), and a cross join keeps it outermost
 * (https://sqlite.org/optoverview.html#crossjoin): newest first without sorting.
 */
const walkUp = sql`(
  with recursive up (at, parent, total, steps) as (
    select id, parent_id, tokens, 1 from turns where id = ${given("id")}
    union all
    select before.id, before.parent_id, total + before.tokens, steps + 1
    from up cross join turns as before on before.id = up.parent
    where steps < ${given("most")} and total + before.tokens <= ${given("maxTokens")}
  )
  select at from up
) as walk`;

/** Statements that take turns away: which ones might go, with the bytes that they hold, and the deletion. */
export function prepareRemovals(db: Db) {
  const texts = [turns.question, turns.documents, turns.text, turns.thinking];
  const bytesOfTexts = sql.join(
    texts.map((column) => sql`octet_length(${column})`),
    sql` + `,
  );
  const bytesOfImages = sql`(select sum(length(bytes)) from turn_images where turn_id = ${turns.id})`;
  const bytes = sql<number>`${bytesOfTexts} + coalesce(${bytesOfImages}, 0)`;
  const those = (which: SQL | undefined, order?: SQL) => {
    const some = db.select({ id: turns.id, bytes }).from(turns).where(which).$dynamic();
    return (order === undefined ? some : some.orderBy(order)).limit(sql.placeholder("limit")).prepare();
  };
  return {
    ofUser: those(byUser),
    ofUserIn: those(and(byUser, sql`${shownIn(turns)} = ${given("channelId")}`, hasEnded)),
    old: those(and(hasEnded, sql`${turns.endedAt} < ${given("before")}`), sql`${turns.endedAt}`),
    delete: db
      .delete(turns)
      .where(sql`${turns.id} in (select value from json_each(${given("ids")}))`)
      .prepare(),
  };
}
