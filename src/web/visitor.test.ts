import { describe, expect, test } from "bun:test";
import { isPreviewerName } from "./visitor.ts";

describe("programs that make link previews are known by what they call themselves", () => {
  test.each([
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Slack-ImgProxy (+https://api.slack.com/robots)",
    "TelegramBot (like TwitterBot)",
    "WhatsApp/2.23.20.0",
    "http.rb/5.1.1 (Mastodon/4.2; +https://social.example/)",
    "Pleroma 2.5; https://social.example <admin@social.example>; Bot",
    "Synapse (bot; +https://github.com/matrix-org/synapse)",
    "Iframely/1.3.1 (+https://iframely.com/docs/about)",
    "Mozilla/5.0 (compatible; Embedly/0.2; +http://support.embed.ly/)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "Mozilla/5.0 (compatible; Yahoo Link Preview; https://help.yahoo.com/kb/mail/yahoo-link-preview-SLN23615.html)",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "vkShare; +http://vk.com/dev/Share",
    "Viber/20.3",
    "Rocket.Chat/6.4",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
  ])("%s", (agent) => {
    expect(isPreviewerName(agent)).toBe(true);
  });
});

describe("whoever else asks is somebody who wants the bytes", () => {
  test.each([
    "",
    "person 5",
    "MyDownloader/1.0",
    "curl/8.14.1",
    "Wget/1.25.0",
    "aria2/1.37.0",
    "Axel/2.17.14 (Linux)",
    "HTTPie/3.2.4",
    "xh/0.24.0",
    "lftp/4.9.3",
    "rclone/v1.71.0",
    "yt-dlp/2026.01.01",
    "VLC/3.0.21 LibVLC/3.0.21",
    "Lavf/61.7.100",
    "mpv 0.40.0",
    "Bun/1.4.5",
    "node",
    "Deno/2.5",
    "Go-http-client/2.0",
    "python-requests/2.32.4",
    "Python-urllib/3.13",
    "Java/21.0.8",
    "okhttp/5.1.0",
    "Dart/3.9 (dart:io)",
    "PostmanRuntime/7.46.0",
    "ShareX/17.1.0",
    "Links (2.30; Linux 6.12 x86_64; GNU C 14; text)",
    "ELinks/0.18.0 (textmode; Linux; 80x24-2)",
    "Lynx/2.9.2 libwww-FM/2.14",
    "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.26100.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) discord/0.0.110 Chrome/134.0.0.0 Electron/35.3.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Twitter for iPhone/11.10",
    "Mozilla/5.0 (Linux; Android 14; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/140.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/520.0;]",
    "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
  ])("%s", (agent) => {
    expect(isPreviewerName(agent)).toBe(false);
  });
});
