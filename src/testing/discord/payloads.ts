import {
  ApplicationFlags,
  ChannelType,
  GuildDefaultMessageNotifications,
  GuildExplicitContentFilter,
  GuildMFALevel,
  GuildNSFWLevel,
  GuildPremiumTier,
  GuildVerificationLevel,
  MessageFlags,
  MessageType,
  OverwriteType,
} from "discord-api-types/v10";
import { isEphemeral, type Message, type MessageInteraction } from "./message.ts";
import {
  type Channel,
  type Guild,
  type Person,
  permissionsIn,
  type Role,
  type Thread,
  type World,
} from "./world.ts";

// What Discord says of its nouns. Every key that its OpenAPI description requires is there.

export function userPayload({ id, name, displayName, bot }: Person) {
  return {
    id,
    username: name,
    discriminator: bot ? "0001" : "0",
    global_name: bot ? null : displayName,
    avatar: null,
    bot,
    system: false,
    banner: null,
    accent_color: null,
    public_flags: 0,
    flags: 0,
    avatar_decoration_data: null,
    collectibles: null,
    primary_guild: null,
  };
}

/** The bot about itself: GET /users/@me and READY. */
export function selfPayload(bot: Person) {
  return {
    ...userPayload(bot),
    mfa_enabled: true,
    locale: "en-US",
    verified: true,
    email: null,
  };
}

export function applicationPayload({ applicationId, bot, guilds }: World, privilegedIntents: number) {
  const owner: Person = { ...bot, id: applicationId, name: "owner", displayName: "Owner", bot: false };
  return {
    id: applicationId,
    name: bot.displayName,
    icon: null,
    description: "",
    summary: "",
    type: null,
    bot: userPayload(bot),
    bot_public: true,
    bot_require_code_grant: false,
    integration_types_config: { "0": {}, "1": {} },
    verify_key: "0".repeat(64),
    flags: applicationFlags(privilegedIntents),
    flags_new: String(applicationFlags(privilegedIntents)),
    hook: true,
    redirect_uris: [],
    interactions_endpoint_url: null,
    role_connections_verification_url: null,
    owner: userPayload(owner),
    approximate_guild_count: [...guilds.values()].filter(({ hasBot }) => hasBot).length,
    approximate_user_install_count: 0,
    approximate_user_authorization_count: 0,
    explicit_content_filter: 0,
    team: null,
    eligible_oauth2_scopes: [],
  };
}

/** Privileged intents that the developer portal grants to bots in fewer than 100 guilds. */
function applicationFlags(intents: number): number {
  const pairs = [
    [1 << 1, ApplicationFlags.GatewayGuildMembersLimited],
    [1 << 8, ApplicationFlags.GatewayPresenceLimited],
    [1 << 15, ApplicationFlags.GatewayMessageContentLimited],
  ] as const;
  return pairs.reduce((flags, [intent, flag]) => (intents & intent ? flags | flag : flags), 0);
}

export function rolePayload(role: Role, position: number) {
  return {
    id: role.id,
    name: role.name,
    permissions: role.permissions.toString(),
    position,
    color: 0,
    colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
    hoist: false,
    managed: false,
    mentionable: role.mentionable,
    icon: null,
    unicode_emoji: null,
    flags: 0,
  };
}

export function memberPayload(person: Person, roles: string[]) {
  return {
    user: userPayload(person),
    roles,
    nick: null,
    avatar: null,
    banner: null,
    joined_at: "2024-01-01T00:00:00.000000+00:00",
    premium_since: null,
    communication_disabled_until: null,
    pending: false,
    mute: false,
    deaf: false,
    flags: 0,
  };
}

export function channelPayload(world: World, channel: Channel) {
  if (channel.guildId === null) {
    const recipient = channel.recipientId === null ? undefined : world.people.get(channel.recipientId);
    return {
      id: channel.id,
      type: ChannelType.DM,
      last_message_id: null,
      flags: 0,
      recipients: recipient ? [userPayload(recipient)] : [],
    };
  }
  if (channel.thread) return threadPayload(channel, channel.guildId, channel.thread);
  const botOverwrite = {
    id: world.bot.id,
    type: OverwriteType.Member,
    allow: "0",
    deny: channel.denied.toString(),
  };
  return {
    id: channel.id,
    type: ChannelType.GuildText,
    guild_id: channel.guildId,
    name: channel.name,
    topic: null,
    position: 0,
    parent_id: null,
    last_message_id: null,
    flags: 0,
    nsfw: false,
    rate_limit_per_user: 0,
    permission_overwrites: channel.denied === 0n ? [] : [botOverwrite],
  };
}

function threadPayload({ id, name }: Channel, guildId: string, { parentId, ownerId, archived }: Thread) {
  return {
    id,
    type: ChannelType.PublicThread,
    guild_id: guildId,
    name,
    parent_id: parentId,
    owner_id: ownerId,
    last_message_id: null,
    flags: 0,
    rate_limit_per_user: 0,
    message_count: 0,
    member_count: 1,
    total_message_sent: 0,
    thread_metadata: {
      archived,
      archive_timestamp: "2024-01-01T00:00:00.000000+00:00",
      auto_archive_duration: 1440,
      locked: false,
    },
  };
}

export function guildPayload(guild: Guild) {
  return {
    id: guild.id,
    name: guild.name,
    owner_id: guild.ownerId,
    icon: null,
    description: null,
    home_header: null,
    splash: null,
    discovery_splash: null,
    features: [],
    banner: null,
    application_id: null,
    region: "deprecated",
    afk_channel_id: null,
    afk_timeout: 300,
    system_channel_id: null,
    system_channel_flags: 0,
    widget_enabled: false,
    widget_channel_id: null,
    verification_level: GuildVerificationLevel.None,
    roles: guild.roles.map(rolePayload),
    default_message_notifications: GuildDefaultMessageNotifications.OnlyMentions,
    mfa_level: GuildMFALevel.None,
    explicit_content_filter: GuildExplicitContentFilter.Disabled,
    max_presences: null,
    max_members: 500_000,
    max_stage_video_channel_users: 50,
    max_video_channel_users: 25,
    vanity_url_code: null,
    premium_tier: GuildPremiumTier.None,
    premium_subscription_count: 0,
    preferred_locale: "en-US",
    rules_channel_id: null,
    safety_alerts_channel_id: null,
    public_updates_channel_id: null,
    premium_progress_bar_enabled: false,
    nsfw: false,
    nsfw_level: GuildNSFWLevel.Default,
    emojis: [],
    stickers: [],
    incidents_data: null,
  };
}

/** GUILD_CREATE: a guild with all that is in it. */
export function guildCreatePayload(world: World, guild: Guild) {
  const all = [...world.channels.values()].filter(({ guildId }) => guildId === guild.id);
  const threads = all.filter(({ thread }) => thread && !thread.archived);
  const channels = all.filter(({ thread }) => !thread);
  const self = memberPayload(world.bot, guild.members.get(world.bot.id) ?? []);
  return {
    ...guildPayload(guild),
    joined_at: "2024-01-01T00:00:00.000000+00:00",
    large: false,
    unavailable: false,
    member_count: guild.members.size,
    // Without the members intent Discord names only the bot itself.
    members: [self],
    channels: channels.map((channel) => channelPayload(world, channel)),
    threads: threads.map((thread) => channelPayload(world, thread)),
    presences: [],
    voice_states: [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
  };
}

export function messagePayload(world: World, message: Message) {
  const author = world.people.get(message.authorId) ?? world.bot;
  const { interaction, replyTo } = message;
  return {
    id: message.id,
    channel_id: message.channelId,
    type: interaction
      ? interaction.type === 2
        ? MessageType.ChatInputCommand
        : MessageType.Reply
      : replyTo
        ? MessageType.Reply
        : MessageType.Default,
    author: userPayload(author),
    content: message.content,
    embeds: message.embeds,
    attachments: message.attachments.map(({ bytes: _bytes, ...attachment }) => ({
      ...attachment,
      ...(isEphemeral(message) && { ephemeral: true }),
    })),
    components: message.components,
    mentions: message.mentioned.flatMap((id) => world.people.get(id) ?? []).map(userPayload),
    mention_roles: message.mentionedRoles,
    mention_everyone: message.mentionsEveryone,
    timestamp: new Date(message.createdAt).toISOString(),
    edited_timestamp: message.editedAt === null ? null : new Date(message.editedAt).toISOString(),
    flags: message.flags,
    pinned: false,
    tts: false,
    ...(message.nonce !== undefined && { nonce: message.nonce }),
    ...(interaction && {
      application_id: world.applicationId,
      webhook_id: world.applicationId,
      interaction_metadata: metadataPayload(world, interaction),
    }),
    ...(replyTo && { message_reference: { type: 0, channel_id: message.channelId, message_id: replyTo } }),
  };
}

/** A message with the one that it replies to, as Discord sends it along. */
export function messageWithReference(world: World, message: Message) {
  const payload = messagePayload(world, message);
  if (message.replyTo === undefined) return payload;
  const referenced = world.messages.get(message.replyTo);
  const isThere = referenced && !referenced.deleted;
  return { ...payload, referenced_message: isThere ? messagePayload(world, referenced) : null };
}

function metadataPayload(
  world: World,
  { id, type, personId, owners, messageId, trigger }: MessageInteraction,
): object {
  const asker = world.people.get(personId);
  return {
    id,
    type,
    ...(asker && { user: userPayload(asker) }),
    authorizing_integration_owners: owners,
    ...(type === 3 && { interacted_message_id: messageId }),
    ...(trigger && { triggering_interaction_metadata: metadataPayload(world, trigger) }),
  };
}

/** Whether the message still says that the bot is thinking. */
export const isLoading = (message: Message) => (message.flags & MessageFlags.Loading) !== 0;

/** `member` of a message that the gateway brings. */
export function authorPayload(world: World, channel: Channel, { id }: Person) {
  const guild = channel.guildId === null ? undefined : world.guilds.get(channel.guildId);
  const roles = guild?.members.get(id);
  const person = world.people.get(id);
  if (!roles || !person) return {};
  const { user: _user, ...member } = memberPayload(person, roles);
  return { member };
}

/** `member` of an interaction: with what the member may do in the channel. */
export function askerPayload(world: World, channel: Channel, person: Person) {
  const guild = channel.guildId === null ? undefined : world.guilds.get(channel.guildId);
  if (!guild) return { user: userPayload(person) };
  const member = memberPayload(person, guild.members.get(person.id) ?? []);
  return { member: { ...member, permissions: permissionsIn(world, channel, person.id).toString() } };
}
