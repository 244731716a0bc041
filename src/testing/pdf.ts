/** A PDF of these objects, numbered from 1; the first is the catalogue. */
export function pdfOf(...objects: string[]): Uint8Array {
  const header = "%PDF-1.7\n";
  const bodies = objects.map((body, index) => `${index + 1} 0 obj\n${body}\nendobj\n`);
  let at = header.length;
  const offsets = bodies.map((body) => {
    const offset = at;
    at += body.length;
    return `${String(offset).padStart(10, "0")} 00000 n \n`;
  });
  const size = objects.length + 1;
  const xref = `xref\n0 ${size}\n0000000000 65535 f \n${offsets.join("")}`;
  const trailer = `trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${at}\n%%EOF\n`;
  return new TextEncoder().encode(`${header}${bodies.join("")}${xref}${trailer}`);
}

/** A PDF stream of this text. */
export function streamOf(text: string, dictionary = ""): string {
  return `<< /Length ${text.length} ${dictionary} >>\nstream\n${text}\nendstream`;
}
