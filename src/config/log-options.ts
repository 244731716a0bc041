// Apart from schema.ts, so that the command line can offer them without loading zod.

export const logLevels = ["debug", "info", "warn", "error"] as const;
export const logFormats = ["pretty", "json"] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFormat = (typeof logFormats)[number];
