/** How the bot stands, for /ready, the home page and doctor. */
export interface BotState {
  state: "off" | "connecting" | "ready" | "refused" | "stopped";
  detail: string;
  /** Set while the bot is in no server. */
  inviteUrl: string | undefined;
}
