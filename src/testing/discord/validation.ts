import Ajv, { type ValidateFunction } from "ajv/dist/2020";
import addFormats from "ajv-formats";
import { type FormProblem, invalidForm } from "./error.ts";
import type { Answer, Route } from "./rest/route.ts";
import { routeKey } from "./rest/route.ts";

/** Checks what passes against Discord's own description of its API, where it is at hand. */
export interface Validation {
  /** Throws DiscordError 50035 for a body that the description does not allow. */
  request(route: Route, body: unknown): void;
  response(route: Route, answer: Answer): void;
  /** An object that the gateway sends, by its schema's name. */
  object(schema: string, value: unknown, where: string): void;
}

interface Description {
  paths: Record<string, Record<string, Operation>>;
}

interface Operation {
  requestBody?: { content: Record<string, object> };
  responses: Record<string, { $ref?: string; content?: Record<string, object> }>;
}

const JSON_TYPE = "application/json";

const noValidation: Validation = { request() {}, response() {}, object() {} };

type Check = (pointer: string, value: unknown) => FormProblem[];

let said = false;
/** By path: compiling its schemas is what takes time, and all stand-ins of a process can share them. */
const descriptions = new Map<string, Promise<{ description: Description; check: Check }>>();

/** The description that DISCORD_OPENAPI names. Says once when it names none; an empty path asks for no checks. */
export async function openValidation(
  path: string | undefined,
  violation: (text: string) => void,
): Promise<Validation> {
  if (!path) {
    if (path === undefined && !said)
      console.error("Discord's OpenAPI checks skipped: DISCORD_OPENAPI is not set");
    said ||= path === undefined;
    return noValidation;
  }
  const opened = descriptions.get(path) ?? openDescription(path);
  descriptions.set(path, opened);
  return createValidation(await opened, violation);
}

async function openDescription(path: string): Promise<{ description: Description; check: Check }> {
  const description = (await Bun.file(path).json()) as Description;
  const ajv = new Ajv({ strict: false, validateSchema: false, allErrors: true, inlineRefs: false });
  addFormats(ajv);
  for (const format of ["snowflake", "nonce"]) ajv.addFormat(format, true);
  ajv.addSchema(description, "discord");
  const compiled = new Map<string, ValidateFunction>();

  function check(pointer: string, value: unknown): FormProblem[] {
    const validate = compiled.get(pointer) ?? ajv.compile({ $ref: `discord#${pointer}` });
    compiled.set(pointer, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, keyword, message = "" }) => ({
      path: instancePath.split("/").slice(1),
      code: `OPENAPI_${keyword.toUpperCase()}`,
      message,
    }));
  }
  return { description, check };
}

function createValidation(
  { description, check }: { description: Description; check: Check },
  violation: (text: string) => void,
): Validation {
  const operationOf = ({ method, path }: Route) => description.paths[path]?.[method.toLowerCase()];
  const pointer = (...steps: string[]) =>
    steps.map((step) => `/${encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"))}`).join("");

  function request(route: Route, body: unknown): void {
    const operation = operationOf(route);
    if (!operation?.requestBody?.content[JSON_TYPE]) return;
    const at = pointer(
      "paths",
      route.path,
      route.method.toLowerCase(),
      "requestBody",
      "content",
      JSON_TYPE,
      "schema",
    );
    const problems = check(at, body);
    if (problems.length === 0) return;
    violation(`${routeKey(route)} request: ${describe(problems)}\n${JSON.stringify(body)}`);
    throw invalidForm(problems);
  }

  function response(route: Route, { status, body }: Answer): void {
    const operation = operationOf(route);
    if (!operation || status >= 500) return;
    const base = pointer("paths", route.path, route.method.toLowerCase(), "responses");
    const name = [String(status), status >= 400 ? "4XX" : ""].find((key) => operation.responses[key]) ?? "";
    const at = operation.responses[name]?.$ref?.slice(1) ?? `${base}${pointer(name)}`;
    const problems = name === "" ? [undescribed(status)] : answerProblems(at, withoutErrors(body));
    if (problems.length > 0)
      violation(`${routeKey(route)} answer ${status}: ${describe(problems)}
${JSON.stringify(body)}`);
  }

  function answerProblems(at: string, body: unknown): FormProblem[] {
    return body === undefined ? [] : check(`${at}${pointer("content", JSON_TYPE, "schema")}`, body);
  }

  return {
    request,
    response,
    object(schema, value, where) {
      const problems = check(pointer("components", "schemas", schema), value);
      if (problems.length > 0) violation(`${where}: ${describe(problems)}\n${JSON.stringify(value)}`);
    },
  };
}

/** The description gives the problems of a form numeric codes; Discord sends names such as BASE_TYPE_REQUIRED. */
function withoutErrors(body: unknown): unknown {
  if (typeof body !== "object" || body === null || !("errors" in body)) return body;
  const { errors: _errors, ...rest } = body;
  return rest;
}

const undescribed = (status: number) => ({
  path: [],
  code: "OPENAPI_STATUS",
  message: `has status ${status}, which the description does not know`,
});

const describe = (problems: FormProblem[]) =>
  problems.map(({ path, message }) => `${path.map(String).join(".") || "body"} ${message}`).join("; ");
