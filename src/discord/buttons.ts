import { type APIButtonComponent, ButtonStyle, ComponentType } from "discord.js";

export interface ButtonText {
  label: string;
  /** `kind:argument`, at most 100 characters. */
  id: string;
  danger?: boolean;
  disabled?: boolean;
}

export function button({ label, id, danger = false, disabled = false }: ButtonText) {
  return {
    type: ComponentType.Button as const,
    style: danger ? (ButtonStyle.Danger as const) : (ButtonStyle.Secondary as const),
    label,
    custom_id: id,
    ...(disabled && { disabled }),
  };
}

/** None for an address such as http://localhost:8080, which Discord refuses as "not a well formed URL". */
export function linkButton(label: string, url: string): APIButtonComponent[] {
  if (!/[.:]/.test(new URL(url).hostname)) return [];
  return [{ type: ComponentType.Button, style: ButtonStyle.Link, label, url }];
}

/** At most five. */
export function row(components: APIButtonComponent[]) {
  return { type: ComponentType.ActionRow as const, components };
}
