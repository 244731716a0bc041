/** Whether nothing of a text can be seen: there is white space in it, and characters without width, or nothing at all. */
export function isBlank(text: string): boolean {
  // The blank pattern of Braille is none to Unicode.
  return /^[\s\p{Default_Ignorable_Code_Point}\u2800]*$/u.test(text);
}
