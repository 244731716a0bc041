import { type Commands, commandPayload } from "../commands.ts";
import { refused } from "../error.ts";
import { commandEdit, commandForm, commandSet } from "../forms/command.ts";
import type { World } from "../world.ts";
import { type Call, noContent, ok, type Route, route, routeWith } from "./route.ts";

export interface CommandRouteDeps {
  world: World;
  commands: Commands;
}

/** Application commands, global and of a guild. */
export function commandRoutes(deps: CommandRouteDeps): Route[] {
  return ["/applications/{application_id}", "/applications/{application_id}/guilds/{guild_id}"].flatMap(
    (base) => routesAt(`${base}/commands`, deps),
  );
}

function routesAt(base: string, { world, commands }: CommandRouteDeps): Route[] {
  const one = `${base}/{command_id}`;
  const id = ({ params }: Call<unknown>) => params.command_id ?? "";

  function scope({ params }: Call<unknown>): string | null {
    if (params.application_id !== world.applicationId) throw refused.unknownApplication();
    if (params.guild_id === undefined) return null;
    // Commands may be registered only where the bot was added.
    if (!world.guilds.get(params.guild_id)?.hasBot) throw refused.missingAccess();
    return params.guild_id;
  }

  return [
    route(`GET ${base}`, (call) => ok(commands.list(scope(call)).map((each) => commandPayload(world, each)))),
    routeWith(`POST ${base}`, commandForm, (call) => {
      const { command, created } = commands.put(call.body, scope(call));
      return ok(commandPayload(world, command), created ? 201 : 200);
    }),
    routeWith(`PUT ${base}`, commandSet, (call) =>
      ok(commands.set(call.body, scope(call)).map((each) => commandPayload(world, each))),
    ),
    route(`GET ${one}`, (call) => ok(commandPayload(world, commands.find(id(call), scope(call))))),
    routeWith(`PATCH ${one}`, commandEdit, (call) =>
      ok(commandPayload(world, commands.edit(id(call), scope(call), call.body))),
    ),
    route(`DELETE ${one}`, (call) => {
      commands.delete(id(call), scope(call));
      return noContent;
    }),
  ];
}
