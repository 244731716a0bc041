import {
  type APIModalInteractionResponseCallbackData,
  type APITextInputComponent,
  ComponentType,
  TextInputStyle,
} from "discord.js";

/** A form with one text to fill in. */
export interface Form {
  /** `kind:argument`, at most 100 characters. */
  id: string;
  /** At most 45 characters, and so `label`. */
  title: string;
  label: string;
  /** At most 100 characters. */
  description?: string;
  /** What stands there already. */
  value: string;
  /** At most 4000. */
  maxLength: number;
}

/** The only field of a form. */
export const FORM_FIELD = "text";

/** As Discord takes it. */
export function formData({
  id,
  title,
  label,
  description,
  value,
  maxLength,
}: Form): APIModalInteractionResponseCallbackData {
  const field: APITextInputComponent = {
    type: ComponentType.TextInput,
    custom_id: FORM_FIELD,
    style: TextInputStyle.Paragraph,
    value,
    max_length: maxLength,
    required: false,
  };
  const labelled = { type: ComponentType.Label as const, label, component: field };
  return {
    custom_id: id,
    title,
    components: [{ ...labelled, ...(description !== undefined && { description }) }],
  };
}
