/** What must be shown nowhere of headers: their values, and what follows a scheme such as `Bearer`. */
export function headerSecrets(headers: Readonly<Record<string, string>>): string[] {
  return Object.values(headers).flatMap((value) => [value, value.slice(value.lastIndexOf(" ") + 1)]);
}
