// Imported with `{ type: "text" }`: embedded in the binary as they stand.
declare module "*.service" {
  const text: string;
  export default text;
}
