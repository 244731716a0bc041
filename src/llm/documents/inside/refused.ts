import type { Refusal } from "../refusal.ts";

/** Why a file is not read, thrown where that is found out. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(`the file is ${refusal}`);
    this.refusal = refusal;
  }
}
