import { desc, eq, inArray, sql } from "drizzle-orm";
import type { LlmChoices } from "../llm/ports.ts";
import type { Connection } from "./connection.ts";
import { members, personas, places } from "./schema.ts";
import { given } from "./sql.ts";

/** What members, channels and servers have chosen for the LLM. */
export function createLlmChoices({ db, run, keep }: Connection): LlmChoices {
  const placeIds = sql`(select value from json_each(${given("placeIds")}))`;
  const byPlace = eq(personas.placeId, given("placeId"));
  /** What is said now, or else what was said before. */
  const said = (name: "off" | "threads" | "freeResponse") => sql`coalesce(${given(name)}, ${places[name]})`;
  const newest = sql`select value, (select max(version) from personas as other where other.place_id = value) from json_each(${given("placeIds")})`;
  const statements = {
    modelOf: db
      .select({ model: members.model })
      .from(members)
      .where(eq(members.id, given("userId")))
      .prepare(),
    setModelOf: db
      .insert(members)
      .values({ id: given("userId"), remindersOff: false, model: given("model") })
      .onConflictDoUpdate({ target: members.id, set: { model: given("model") } })
      .prepare(),
    places: db.select().from(places).where(inArray(places.placeId, placeIds)).prepare(),
    addPlace: db
      .insert(places)
      .values({ placeId: given("placeId"), guildId: given("guildId") })
      .onConflictDoNothing()
      .prepare(),
    changePlace: db
      .update(places)
      .set({
        model: sql`case when ${given("saysModel")} then ${given("model")} else ${places.model} end`,
        off: said("off"),
        threads: said("threads"),
        freeResponse: said("freeResponse"),
      })
      .where(eq(places.placeId, given("placeId")))
      .prepare(),
    personas: db
      .select()
      .from(personas)
      .where(sql`(${personas.placeId}, ${personas.version}) in (${newest})`)
      .prepare(),
    personasBy: db
      .select()
      .from(personas)
      .where(eq(personas.authorId, given("userId")))
      .prepare(),
    versions: db
      .select()
      .from(personas)
      .where(byPlace)
      .orderBy(desc(personas.version))
      .limit(sql.placeholder("limit"))
      .prepare(),
    addPersona: db
      .insert(personas)
      .select(
        sql`select ${given("placeId")}, ${given("guildId")}, coalesce(max(${personas.version}), 0) + 1, ${given("text")}, ${given("authorId")}, ${given("createdAt")} from ${personas} where ${byPlace}`,
      )
      .returning({ version: personas.version })
      .prepare(),
  };

  return {
    modelOf: (userId) => run(() => statements.modelOf.get({ userId })?.model ?? null),
    setModelOf: (userId, model) => keep(() => void statements.setModelOf.run({ userId, model })),
    places: (placeIds) => run(() => statements.places.all({ placeIds: JSON.stringify(placeIds) })),
    setPlace: ({ placeId, guildId }, { model, off, threads, freeResponse }) =>
      keep(() =>
        db.transaction(
          () => {
            statements.addPlace.run({ placeId, guildId });
            statements.changePlace.run({
              placeId,
              saysModel: model !== undefined,
              model: model ?? null,
              off: off ?? null,
              threads: threads ?? null,
              freeResponse: freeResponse ?? null,
            });
          },
          { behavior: "immediate" },
        ),
      ),
    personas: (placeIds) => run(() => statements.personas.all({ placeIds: JSON.stringify(placeIds) })),
    personaVersions: (placeId, limit) => run(() => statements.versions.all({ placeId, limit })),
    personasBy: (userId) => run(() => statements.personasBy.all({ userId })),
    addPersona: (row) =>
      keep(() => {
        const [added] = statements.addPersona.all({ ...row });
        if (!added) throw new Error("an insert that gave no row");
        return added.version;
      }),
  };
}
