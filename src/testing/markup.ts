/** An element that a parser finds, its attributes as `name` or, where they matter, `name=value`. */
export interface FoundElement {
  tag: string;
  attributes: [name: string, value: string][];
}

/** Every element in this HTML, as a parser sees it and not as its writer meant it. Comments count as elements. */
export function elementsOf(html: string): FoundElement[] {
  const found: FoundElement[] = [];
  const parser = new HTMLRewriter().on("*", {
    element: ({ tagName, attributes }) => {
      found.push({
        tag: tagName,
        attributes: [...attributes].map(([name, value]) => [name ?? "", value ?? ""]),
      });
    },
  });
  parser.onDocument({ comments: () => void found.push({ tag: "!--", attributes: [] }) });
  parser.transform(html);
  return found;
}
