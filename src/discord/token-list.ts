import type { IssuedToken } from "../files/files.ts";
import type { TokenRow } from "../files/ports.ts";
import { button, row } from "./buttons.ts";
import { plain, relativeTime } from "./render.ts";
import type { Body } from "./respond.ts";

const A_ROW = 5;

/** A token as it is shown once, with what to do with it. For its owner's eyes only. */
export function tokenCard({ name, secret }: IssuedToken, publicUrl: string): Body {
  const content = [
    `Your new API token ${plain(name)}. This is the only time that it is shown: copy it now, and keep it like a password.`,
    block(secret),
    "Upload a file from a command line:",
    block(`curl -T FILE -H "Authorization: Bearer ${secret}" ${publicUrl}/api/files/`),
    "Or open the attached file with ShareX, which then uploads here.",
  ].join("\n");
  const data = JSON.stringify(shareX(secret, publicUrl), undefined, 2);
  return { content, file: { name: "wisbot.sxcu", contentType: "application/json", data } };
}

/** ShareX's custom uploader: https://getsharex.com/docs/custom-uploader */
function shareX(secret: string, publicUrl: string) {
  return {
    Version: "15.0.0",
    Name: `WisBot (${new URL(publicUrl).host})`,
    DestinationType: "ImageUploader, TextUploader, FileUploader",
    RequestMethod: "POST",
    RequestURL: `${publicUrl}/api/files`,
    Headers: { Authorization: `Bearer ${secret}` },
    Body: "MultipartFormData",
    FileFormName: "file",
    URL: "{json:url}",
    ErrorMessage: "{json:detail}",
  };
}

/** Somebody's tokens, each with a button that revokes it. `above`: what is to be said first. */
export function tokenList(tokens: TokenRow[], above?: string): Body {
  const lines = [
    ...(above ? [above] : []),
    tokens.length === 0 ? "You have no API tokens. `/wis token` makes one." : "Your API tokens:",
    ...tokens.map(tokenLine),
  ];
  const buttons = tokens.map(({ id }, index) =>
    button({ label: `Revoke ${index + 1}`, id: `token:revoke:${id}`, danger: true }),
  );
  const rows = [buttons.slice(0, A_ROW), buttons.slice(A_ROW, 2 * A_ROW)].filter(({ length }) => length > 0);
  return { content: lines.join("\n"), components: rows.map(row) };
}

function tokenLine({ name, createdAt, lastUsedAt }: TokenRow, index: number): string {
  const used = lastUsedAt === null ? "never used" : `last used ${relativeTime(lastUsedAt)}`;
  return `**${index + 1}.** ${plain(name, 40)} · created ${relativeTime(createdAt)} · ${used}`;
}

const block = (text: string) => `\`\`\`\n${text}\n\`\`\``;
