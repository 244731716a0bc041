/** Do two names mean one model? A name without a tag means `:latest`, and case does not count. */
export function sameModel(a: string, b: string): boolean {
  return tagged(a) === tagged(b);
}

/** Whether a model is meant by one of the patterns: names, in which `*` stands for anything. */
export function matchesAny(patterns: readonly string[], model: string): boolean {
  return patterns.some((pattern) =>
    pattern.includes("*") ? meaning(pattern).test(tagged(model)) : sameModel(pattern, model),
  );
}

function meaning(pattern: string): RegExp {
  return new RegExp(`^${pattern.split("*").map(RegExp.escape).join(".*")}$`, "is");
}

/** The one spelling of all names that mean the same model. */
export function tagged(name: string): string {
  // The registry's address may have a port: only a colon after the last slash starts a tag.
  const last = name.slice(name.lastIndexOf("/") + 1);
  return (last.includes(":") ? name : `${name}:latest`).toLowerCase();
}
