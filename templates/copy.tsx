/** @jsxImportSource hono/jsx */
/** A line of text with a button that copies it. Without script it is a line of text. */
export function Copyable({ text, label, id }: { text: string; label: string; id?: string }) {
  return (
    <div class="copyable">
      <code {...(id && { id })}>{text}</code>
      <button type="button" class="button small" data-copy hidden>
        <span data-word>Copy</span>
        <span class="away"> {label}</span>
      </button>
      {/* Screen readers say what comes into it: it has to be there, and empty, before. */}
      <span class="away" role="status" />
    </div>
  );
}
