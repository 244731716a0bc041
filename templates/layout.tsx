/** @jsxImportSource hono/jsx */
import type { PropsWithChildren } from "hono/jsx";

/** Addresses of the files that pages load. They change with the content. */
export interface AssetUrls {
  style: string;
  icon: string;
  page: string;
  upload: string;
  uploadStyle: string;
  adminStyle: string;
}

/** What every page needs. */
export interface Frame {
  assets: AssetUrls;
  version: string;
}

/** Open Graph: Discord and its kin make a card of it. Addresses are absolute. */
export interface LinkCard {
  title: string;
  description: string;
  url: string;
  picture: string | undefined;
}

function LinkCardTags({ title, description, url, picture }: LinkCard) {
  return (
    <>
      <meta property="og:site_name" content="WisBot" />
      <meta property="og:type" content="website" />
      <meta property="og:title" content={title} />
      <meta property="og:description" content={description} />
      <meta property="og:url" content={url} />
      {picture && <meta property="og:image" content={picture} />}
      <meta name="twitter:card" content={picture ? "summary_large_image" : "summary"} />
      <meta name="description" content={description} />
      <meta name="theme-color" content="#5865f2" />
    </>
  );
}

type LayoutProps = PropsWithChildren<
  Frame & {
    title: string;
    /** What chats show of a link to this page. */
    card?: LinkCard;
    /** Also loads the upload page's script and style. */
    uploads?: boolean;
    /** Also loads the admin's pages' style. */
    admin?: boolean;
  }
>;

/** The frame around every page. No inline script or style: the content security policy forbids them. */
export function Layout({ assets, version, title, card, uploads, admin, children }: LayoutProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>{title}</title>
        {card && <LinkCardTags {...card} />}
        <link rel="icon" href={assets.icon} type="image/svg+xml" />
        <link rel="stylesheet" href={assets.style} />
        <script src={assets.page} defer />
        {uploads && <link rel="stylesheet" href={assets.uploadStyle} />}
        {admin && <link rel="stylesheet" href={assets.adminStyle} />}
        {uploads && <script src={assets.upload} defer />}
      </head>
      <body>
        <header class="bar">
          <a class="brand" href="/">
            <img src={assets.icon} alt="" width="28" height="28" />
            WisBot
          </a>
        </header>
        <main>{children}</main>
        <footer class="foot">WisBot {version}</footer>
      </body>
    </html>
  );
}
