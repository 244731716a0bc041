// Files that are embedded as text: `import style from "….css" with { type: "text" }`.
declare module "*.css" {
  const text: string;
  export default text;
}
declare module "*.svg" {
  const text: string;
  export default text;
}
