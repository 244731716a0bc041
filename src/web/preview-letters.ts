/** Unicode's mathematical letters begin here, style by style: https://www.unicode.org/charts/PDF/U1D400.pdf */
const LETTERS = 0x1d400;
const LETTER_STYLES = [
  "bold",
  "italic",
  "bold-italic",
  "script",
  "bold-script",
  "fraktur",
  "double-struck",
  "bold-fraktur",
  "sans-serif",
  "bold-sans-serif",
  "sans-serif-italic",
  "sans-serif-bold-italic",
  "monospace",
];
const GREEK = 0x1d6a8;
const GREEK_STYLES = ["bold", "italic", "bold-italic", "bold-sans-serif", "sans-serif-bold-italic"];
const DIGITS = 0x1d7ce;
const DIGIT_STYLES = ["bold", "double-struck", "sans-serif", "bold-sans-serif", "monospace"];

/** Those that Unicode had before, and left out of the rows. */
const ELSEWHERE: Record<string, string> = {
  italic: "hℎ",
  script: "BℬEℰFℱHℋIℐLℒMℳRℛeℯgℊoℴ",
  fraktur: "CℭHℌIℑRℜZℨ",
  "double-struck": "CℂHℍNℕPℙQℚRℝZℤ",
};

const LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const GREEK_LETTERS = "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡϴΣΤΥΦΧΨΩ∇αβγδεζηθικλμνξοπρςστυφχψω∂ϵϑϰϕϱϖ";

const styles = new Map<string, Map<string, string>>();
addRows(LETTERS, LETTER_STYLES, LATIN);
addRows(GREEK, GREEK_STYLES, GREEK_LETTERS);
addRows(DIGITS, DIGIT_STYLES, "0123456789");
for (const [style, pairs] of Object.entries(ELSEWHERE)) {
  for (const [, plain = "", styled = ""] of pairs.matchAll(/(.)(.)/gu)) styles.get(style)?.set(plain, styled);
}

/**
 * This text in a style of mathematics (`double-struck`: ℝ), as MathML's `mathvariant` calls it: browsers know that
 * attribute no more, but have these letters (https://w3c.github.io/mathml-core/#the-mathvariant-attribute). What has no
 * such letter stays as it is.
 */
export function inStyle(text: string, style: string): string {
  const letters = styles.get(style);
  return letters ? Array.from(text, (letter) => letters.get(letter) ?? letter).join("") : text;
}

function addRows(first: number, names: readonly string[], plain: string): void {
  for (const [row, name] of names.entries()) {
    const letters = styles.get(name) ?? new Map<string, string>();
    styles.set(name, letters);
    for (const [column, letter] of [...plain].entries()) {
      letters.set(letter, String.fromCodePoint(first + row * [...plain].length + column));
    }
  }
}
