import pino from "pino";
import type { Config } from "../config/schema.ts";
import type { Log } from "./ports.ts";
import type { Redactor } from "./redact.ts";

/** Where lines go; each ends with a newline. */
export interface LogSink {
  write(line: string): unknown;
}

interface LogDeps {
  config: Config["log"];
  redactor: Redactor;
  /** Fields of the active span, added to each line. */
  active: () => object;
  sink?: LogSink | undefined;
}

/**
 * A log on stderr, or in `sink`: one JSON object a line, or pretty text. Every line is written before the call
 * returns, so that none is lost at exit, and nothing registered or shaped as a secret gets through.
 */
export async function createLog({ config, redactor, active, sink = stderr() }: LogDeps): Promise<Log> {
  const logger = pino(
    {
      level: config.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // The redactor has made text of errors already; pino's own serializer would take them for plain objects.
      serializers: { err: (err) => err },
      formatters: { level: (level) => ({ level }) },
    },
    config.format === "pretty" ? await prettyInto(sink) : sink,
  );
  const at = (level: "debug" | "info" | "warn" | "error") => (fields: object, message: string) => {
    if (!logger.isLevelEnabled(level)) return;
    logger[level]({ ...active(), ...redactor.fields(fields) }, redactor.text(message));
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function stderr(): LogSink {
  // Synchronous, and waiting where a pipe is full. No worker: pino's transports can't be loaded from a compiled binary.
  const destination = pino.destination({ dest: 2, sync: true });
  // The reader of the log has gone away (`wisbot serve 2>&1 | head`): there is nowhere left to say so, and that is no
  // reason to stop serving. Without a listener it would end the process.
  destination.on("error", () => undefined);
  return destination;
}

async function prettyInto(sink: LogSink): Promise<LogSink> {
  const { prettyFactory, isColorSupported } = await import("pino-pretty");
  const pretty = prettyFactory({
    colorize: isColorSupported && process.stderr.isTTY === true,
    translateTime: "SYS:HH:MM:ss.l",
    // Ids are for the trace; the span's says nothing to a person.
    ignore: "span_id",
  });
  return { write: (line) => sink.write(pretty(line)) };
}
