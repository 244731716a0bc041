import {
  Client,
  GatewayIntentBits,
  type IIdentifyThrottler,
  Options,
  SimpleShardingStrategy,
} from "discord.js";

export interface ClientDeps {
  /** Base of the REST API, without the version. */
  api: string;
  /** Asks to read all messages: a privileged intent. */
  messageContent: boolean;
  throttler: IIdentifyThrottler;
  /** Aborted when the client is done with, whatever its shards are doing. */
  ended: AbortSignal;
}

// To know in which servers and threads the bot is, and what is said to it: without MessageContent, the only privileged
// intent of these, messages that neither mention nor answer it come empty. Interactions need no intent.
const INTENTS = [
  GatewayIntentBits.Guilds,
  GatewayIntentBits.GuildMessages,
  GatewayIntentBits.DirectMessages,
] as const;

const self = (one: { id: string; client: Client }) => one.id === one.client.user?.id;

// Wisbot works from what an interaction or a message brings along, so nothing is kept of members, messages and the like.
const makeCache = Options.cacheWithLimits({
  ApplicationCommandManager: 0,
  AutoModerationRuleManager: 0,
  BaseGuildEmojiManager: 0,
  DMMessageManager: 0,
  EntitlementManager: 0,
  GuildBanManager: 0,
  GuildEmojiManager: 0,
  GuildForumThreadManager: 0,
  GuildInviteManager: 0,
  GuildMemberManager: { maxSize: 0, keepOverLimit: self },
  GuildMessageManager: 0,
  GuildScheduledEventManager: 0,
  GuildStickerManager: 0,
  GuildTextThreadManager: 0,
  MessageManager: 0,
  PresenceManager: 0,
  ReactionManager: 0,
  ReactionUserManager: 0,
  StageInstanceManager: 0,
  ThreadManager: 0,
  ThreadMemberManager: 0,
  UserManager: { maxSize: 0, keepOverLimit: self },
  VoiceStateManager: 0,
});

/** One try at a gateway connection. What is sent goes through respond.ts, not through the client. */
export function createClient({ api, messageContent, throttler, ended }: ClientDeps): Client<boolean> {
  return new Client({
    intents: messageContent ? [...INTENTS, GatewayIntentBits.MessageContent] : INTENTS,
    allowedMentions: { parse: [] },
    failIfNotExists: false,
    // discord.js holds interactions back until the servers are known, and Discord voids them after 3 s.
    waitGuildTimeout: 1_000,
    makeCache,
    rest: { api: api.replace(/\/+$/, ""), version: "10" },
    ws: {
      buildIdentifyThrottler: () => throttler,
      buildStrategy(manager) {
        const { retrieveSessionInfo } = manager.options;
        // A shard told to reconnect just before its client was destroyed wakes up 0.5 s later and would connect
        // behind our back (@discordjs/ws 1.2, WebSocketShard.destroy): this question it asks first stays open.
        manager.options.retrieveSessionInfo = (shardId) =>
          ended.aborted ? new Promise(() => {}) : retrieveSessionInfo(shardId);
        return new SimpleShardingStrategy(manager);
      },
    },
  });
}
