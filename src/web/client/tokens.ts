/** A stretch of text and what it is (`keyword`, `string`, …), empty for nothing in particular. */
export type Token = [length: number, scope: string];

export interface HighlightRequest {
  text: string;
  language: string;
}
