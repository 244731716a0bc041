import type { Context } from "hono";
import { PasswordPage, SharePage } from "../../../templates/share.tsx";
import { isWisError, WisError } from "../../errors.ts";
import type { StoredFile } from "../../files/ports.ts";
import { assetUrls, previewUrls } from "../assets.ts";
import type { WebDeps } from "../deps.ts";
import type { Handler, WebEnv } from "../env.ts";
import { readForm } from "../form.ts";
import { FORM_REFERRER, pagePolicy } from "../headers.ts";
import type { Looks } from "../looks.ts";
import { page, wantsPage } from "../page.ts";
import { LARGEST_IMAGE, previewOf } from "../preview.ts";
import type { Previews } from "../preview-content.ts";
import { previewPolicy } from "../preview-policy.ts";
import { type DoorDeps, isPreviewer, letIn, mustType, unlock, visitorOf } from "../visitor.ts";

type ShareDeps = DoorDeps & Pick<WebDeps, "files" | "version" | "now"> & { previews: Previews; looks: Looks };

const POLICY = pagePolicy({ ...previewPolicy, "form-action": "'self'" });

/** `GET /f/:id`: the page of a file or a bundle. Looking at it never counts as a download: link previews fetch it too. */
export function share(deps: ShareDeps): Handler<"/f/:id"> {
  const { files, version, publicUrl, now, previews, looks } = deps;
  return async (c) => {
    const file = await files.get(c.req.param("id"));
    c.header("Content-Security-Policy", POLICY);
    c.header("Referrer-Policy", FORM_REFERRER);
    if (mustType(files, c, file)) return page(c, passwordPage(deps, file, undefined));
    await letIn(deps, c, file);
    if (isLooked(c) && looks.isFirst(file.shareId, visitorOf(c))) files.viewed(file, visitorOf(c));
    const members = file.members === undefined ? [] : inOrder(await files.members(file));
    const content = isShownFreely(file) ? await previews.contentOf(file) : { kind: "none" as const };
    return page(
      c,
      SharePage({
        assets: assetUrls,
        version,
        file,
        members,
        paths: members.map(pathOf),
        preview: { assets: previewUrls, content },
        picture: pictureOf(file),
        bundleUrl: file.shareId === file.id ? undefined : `${publicUrl}/f/${file.shareId}`,
        now: now(),
      }),
    );
  };
}

/** `POST /f/:id`: the password of a share. */
export function openDoor(deps: ShareDeps): Handler<"/f/:id"> {
  const { files } = deps;
  return async (c) => {
    const file = await files.get(c.req.param("id"));
    c.header("Content-Security-Policy", POLICY);
    c.header("Referrer-Policy", FORM_REFERRER);
    const { fields } = await readForm(c.req.raw, async () => {
      throw new WisError("bad_request", { say: "No file is taken here.", hint: "Type the password." });
    });
    try {
      await unlock(deps, c, file, fields.get("password") ?? "");
    } catch (error) {
      if (!isWisError(error, "password.wrong") || !wantsPage(c)) throw error;
      return page(c, passwordPage(deps, file, `${error.say} ${error.hint ?? ""}`), 403);
    }
    return c.redirect(`/f/${file.id}`, 303);
  };
}

const pathOf = ({ path, name }: StoredFile): string => path ?? name;

/** As people count, "2.jpg" before "10.jpg". In the store another order stands: the ZIP's bytes hang on it. */
function inOrder(members: StoredFile[]): StoredFile[] {
  return members.toSorted((one, other) => counting.compare(pathOf(one), pathOf(other)));
}

const counting = new Intl.Collator("en", { numeric: true });

/** Whether the page goes to somebody: HEAD gets none, and a preview is not looked at here. */
const isLooked = (c: Context<WebEnv>): boolean => c.req.method === "GET" && !isPreviewer(c);

function passwordPage(
  { version }: Pick<ShareDeps, "version">,
  { id, url }: StoredFile,
  refusal: string | undefined,
) {
  return PasswordPage({ assets: assetUrls, version, id, url, refusal });
}

/** A preview is a way to have a file: what may be had only so often has none. */
export function isShownFreely({
  maxDownloads,
  members,
}: Pick<StoredFile, "maxDownloads" | "members">): boolean {
  return maxDownloads === null && members === undefined;
}

/** For link previews, whose makers have typed no password. */
function pictureOf(file: StoredFile): string | undefined {
  const isPicture = previewOf(file).kind === "image" && file.size <= LARGEST_IMAGE;
  return isPicture && isShownFreely(file) && file.passwordHash === null ? `${file.url}/view` : undefined;
}
