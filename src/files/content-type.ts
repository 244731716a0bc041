const UNKNOWN = "application/octet-stream";

// RFC 9110: type "/" subtype, then parameters. A longer or stranger one is not worth keeping.
const MEDIA_TYPE =
  /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}(?:\s*;\s*[\w.-]{1,64}=(?:[\w.+-]{1,64}|"[\w .+-]{1,64}"))*$/;

/** The type that the sender says, or the one that the name's extension stands for. curl -T says none. */
export function contentTypeOf(said: string | undefined, name: string): string {
  const trimmed = said?.trim() ?? "";
  if (trimmed.length <= 255 && MEDIA_TYPE.test(trimmed) && trimmed !== UNKNOWN) return trimmed;
  return Bun.file(name).type || UNKNOWN;
}
