import { isValues, mapText, type Values, valueAt } from "./document.ts";
import { type Env, overridesFrom, setIn, unknownVariables, valueFor } from "./environment.ts";
import { dotted, type KeyPath } from "./keys.ts";
import { ollamaUrl } from "./ollama-host.ts";
import { type Place, type Problem, shown } from "./problems.ts";
import { lookUp } from "./secret-files.ts";

/** The values on their way to the schema: `written` is what people wrote, `values` what it stands for. */
export interface Draft {
  written: Values;
  values: Values;
  problems: Problem[];
  placeOf: (path: KeyPath) => Place;
}

/** `${NAME}` in every text of the file; `$${` stays `${`. */
export function expand({ written, values, problems, placeOf }: Draft, env: Env): Draft {
  const found: Problem[] = [];
  const expanded = mapText(values, (text, path) => {
    if (!text.includes(`\${`)) return text;
    const problem = (expected: string, got: string) =>
      found.push({ key: dotted(path), expected, got, place: placeOf(path) });
    const result = text.replace(/(\$?)\$\{([^}]*)\}/g, (whole: string, escaped: string, name: string) => {
      if (escaped) return whole.slice(1);
      if (!/^[A-Za-z_]\w*$/.test(name)) {
        problem("a variable's name between the braces", "something else");
        return whole;
      }
      const found = lookUp(env, name);
      if ("value" in found) return found.value;
      problem(`the environment variable ${name}`, found.got);
      return whole;
    });
    return valueFor(path, result);
  });
  return { written, values: isValues(expanded) ? expanded : {}, problems: [...problems, ...found], placeOf };
}

function withKey(values: Values, [section, key]: KeyPath, value: unknown): Values {
  const old = values[String(section)] ?? {};
  // A section that is no section is a problem of its own: leave it for the schema to find.
  return isValues(old) ? { ...values, [String(section)]: { ...old, [String(key)]: value } } : values;
}

function withoutKey(values: Values, [section, key]: KeyPath): Values {
  const old = values[String(section)];
  if (!isValues(old)) return values;
  const { [String(key)]: _dropped, ...rest } = old;
  return { ...values, [String(section)]: rest };
}

/** The environment's values over the file's. A token from the environment also beats the other way to give one. */
export function override(draft: Draft, env: Env): Draft {
  const overrides = overridesFrom(env);
  const set = (values: Values) =>
    overrides.reduce((result, { path, value }) => {
      const other = { token: "token_file", token_file: "token" }[String(path[1])];
      const both = overrides.some((one) => one.path[0] === path[0] && one.path[1] === other);
      const cleared = other === undefined || both ? result : withoutKey(result, [String(path[0]), other]);
      return withKey(cleared, path, value);
    }, values);
  const placeOf = (path: KeyPath): Place => {
    const from = overrides.find((one) => one.path.every((part, index) => part === path[index]));
    return from ? { variable: from.variable } : draft.placeOf(path);
  };
  const unknown = unknownVariables(env).map(({ variable, meant }) => ({
    key: variable,
    expected: meant,
    got: "an unknown variable",
    place: { variable },
  }));
  return {
    written: set(draft.written),
    values: set(draft.values),
    problems: [...draft.problems, ...unknown],
    placeOf,
  };
}

/** $OLLAMA_HOST as the address of every host that has none of its own. */
export function fillOllama(draft: Draft, env: Env): Draft {
  const text = setIn(env, "OLLAMA_HOST");
  const hosts = valueAt(draft.values, ["llm", "hosts"]) ?? [{}];
  if (text === undefined || !Array.isArray(hosts)) return draft;
  const lacking = hosts.findIndex((host) => isValues(host) && host.url === undefined);
  if (lacking === -1) return draft;
  const url = ollamaUrl(text);
  if (url === undefined) {
    const key = dotted(["llm", "hosts", lacking, "url"]);
    const expected = "an address such as 127.0.0.1:11434 or http://gpu-box:11434";
    const problem = { key, expected, got: shown([], text), place: { variable: "OLLAMA_HOST" } };
    return { ...draft, problems: [...draft.problems, problem] };
  }
  const filled = hosts.map((host: unknown) => (isValues(host) ? { url, ...host } : host));
  return { ...draft, values: withKey(draft.values, ["llm", "hosts"], filled) };
}
