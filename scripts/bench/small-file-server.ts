// The least that a small download costs on Bun: the file as it is, and not a line more.
const { PORT = "", FILE = "" } = process.env;

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(PORT),
  fetch: () => new Response(Bun.file(FILE)),
});
