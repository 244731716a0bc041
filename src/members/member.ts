/**
 * Where somebody asked, and as whom: what quotas go by. Kept with what was asked for, so that an upload in the browser
 * has the limits of its asker in Discord, as the configuration says them at that moment.
 */
export interface Asker {
  guildId: string | null;
  roleIds: string[];
}

/** Who asks. An owner id is a Discord user id, or a name that an admin gave on the command line. */
export interface Member {
  id: string;
  /** As the guild shows it; only for people to read. */
  name: string;
  asker: Asker;
  /** Has Manage Messages where the request came from. */
  moderator: boolean;
}

/** May `member` change something that `ownerId` owns? Owners and moderators may. */
export function mayManage(member: Member, ownerId: string): boolean {
  return member.moderator || member.id === ownerId;
}
