// Permissions as bits, so that init and doctor can say the link without loading discord.js.
// https://discord.com/developers/docs/topics/permissions
const permissions = {
  // To edit its own messages once an interaction token has run out, and to announce finished uploads.
  viewChannel: 1n << 10n,
  sendMessages: 1n << 11n,
  sendMessagesInThreads: 1n << 38n,
  // For answers in threads of their own.
  createPublicThreads: 1n << 35n,
  // The card of a file is an embed; an answer too long for messages is a file.
  embedLinks: 1n << 14n,
  attachFiles: 1n << 15n,
  // To read back its own message after a crash, so that what was answered stays above the mark.
  readMessageHistory: 1n << 16n,
};

/** The link by which an admin adds the bot to a server, with the least permissions that it works with. */
export function inviteUrl(applicationId: string): string {
  const bits = Object.values(permissions).reduce((all, bit) => all | bit, 0n);
  const query = new URLSearchParams({
    client_id: applicationId,
    scope: "bot applications.commands",
    permissions: String(bits),
  });
  return `https://discord.com/oauth2/authorize?${query}`;
}
