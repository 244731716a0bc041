import type { z } from "zod";
import { type FormProblem, invalidForm } from "../error.ts";

/** Checks a body against its form. Throws DiscordError 50035 with the errors where Discord puts them. */
export function parseForm<T>(form: z.ZodType<T>, body: unknown): T {
  const parsed = form.safeParse(body);
  if (parsed.success) return parsed.data;
  throw invalidForm(parsed.error.issues.flatMap(problemsOf));
}

function problemsOf(issue: z.core.$ZodIssue): FormProblem[] {
  const { path } = issue;
  if (issue.code === "unrecognized_keys") {
    const message = "Discord knows no such property here.";
    return issue.keys.map((key) => ({ path: [...path, key], code: "UNKNOWN_PROPERTY", message }));
  }
  if (issue.code === "too_big") {
    const what = issue.origin === "array" ? "items" : "length";
    return [{ path, code: "BASE_TYPE_MAX_LENGTH", message: `Must be ${issue.maximum} or fewer in ${what}.` }];
  }
  if (issue.code === "too_small")
    return [{ path, code: "BASE_TYPE_MIN_LENGTH", message: `Must be ${issue.minimum} or more in length.` }];
  if (issue.code === "invalid_type" && issue.input === undefined)
    return [{ path, code: "BASE_TYPE_REQUIRED", message: "This field is required" }];
  const code =
    issue.code === "custom" && typeof issue.params?.code === "string" ? issue.params.code : undefined;
  return [{ path, code: code ?? "BASE_TYPE_INVALID", message: issue.message }];
}
