/** @jsxImportSource hono/jsx */

const hueOf = (name: string) => [...name].reduce((sum, letter) => sum + letter.charCodeAt(0) * 137, 0) % 360;

export const Avatar = ({ name, bot = false }: { name: string; bot?: boolean }) => (
  <span class={bot ? "avatar bot" : "avatar"} style={bot ? "" : `--hue: ${hueOf(name)}`} aria-hidden="true">
    {name.slice(0, 1)}
  </span>
);
