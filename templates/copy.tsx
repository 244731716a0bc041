/** @jsxImportSource hono/jsx */
/** A line of text with a button that copies it. Without script it is a line of text. */
export function Copyable({ text, label, id }: { text: string; label: string; id?: string }) {
  return (
    <div class="copyable">
      <code {...(id && { id })}>{text}</code>
      <button type="button" class="button small" data-copy hidden aria-label={`Copy ${label}`}>
        Copy
      </button>
    </div>
  );
}
