/**
 * Names of span attributes and log fields, so that one thing has one name everywhere. OpenTelemetry's semantic
 * conventions where they have one, `wisbot.` where they don't. Values: never a token, a ticket, a whole file id, or
 * what a person wrote.
 */
export const attribute = {
  errorType: "error.type",
  errorCode: "wisbot.error.code",

  httpMethod: "http.request.method",
  httpRoute: "http.route",
  httpStatus: "http.response.status_code",
  httpBytes: "http.response.body.size",
  clientAddress: "client.address",
  serverAddress: "server.address",
  serverPort: "server.port",

  command: "wisbot.command",
  interactionKind: "wisbot.interaction.kind",
  userId: "user.id",
  guildId: "wisbot.guild.id",
  channelId: "wisbot.channel.id",

  /** Abbreviated: see abbreviate() in lib/capability.ts. */
  file: "wisbot.file",
  fileSize: "wisbot.file.size",
  blobOperation: "wisbot.blob.operation",

  job: "wisbot.job",
  deletedFiles: "wisbot.deleted.files",
  deletedBytes: "wisbot.deleted.bytes",
  announcementKind: "wisbot.announcement.kind",
  attempt: "wisbot.attempt",

  /** OpenTelemetry GenAI conventions. Prompts and answers are not recorded. */
  genAiOperation: "gen_ai.operation.name",
  genAiProvider: "gen_ai.provider.name",
  genAiModel: "gen_ai.request.model",
  genAiResponseModel: "gen_ai.response.model",
  genAiInputTokens: "gen_ai.usage.input_tokens",
  genAiOutputTokens: "gen_ai.usage.output_tokens",
  genAiFinishReasons: "gen_ai.response.finish_reasons",
  genAiConversation: "gen_ai.conversation.id",
  host: "wisbot.llm.host",
  queuePosition: "wisbot.queue.position",
  queueWaitMs: "wisbot.queue.wait_ms",
} as const;
