import type { Dice } from "./dice.ts";
import { type Answer, expectStatus, type Line, textOf } from "./line.ts";

/** Somebody with a link and something to send. */
export interface Sender {
  /** Goes on until it is acknowledged, and gives the share's address; undefined when the line broke. */
  send(line: Line): Promise<string | undefined>;
  /** How often it went on with what was cut. */
  resumed(): number;
}

/** What a link's address says about itself. */
interface View {
  state: "open" | "busy" | "used" | "expired";
  files: { path: string; state: string }[];
  url?: string;
}

export interface Sent {
  /** `/u/TICKET`. */
  link: string;
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

async function viewOf(line: Line, link: string): Promise<View | undefined> {
  const answer = await line.ask(link, { headers: { accept: "application/json" } });
  if (!answer) return undefined;
  expectStatus(answer, [200, 409, 410], "asking a link what became of it");
  return JSON.parse(textOf(answer));
}

/** What nobody may see any more has no address. */
export const GONE = "gone";

/** A plain upload. Whoever got no answer asks the link. */
export function plainSender({ link, name, bytes }: Sent): Sender {
  let cuts = 0;
  return {
    resumed: () => cuts,
    async send(line) {
      if (cuts > 0) {
        const view = await viewOf(line, link);
        if (!view) return undefined;
        if (view.state === "used") return view.url ?? GONE;
        if (view.files.some(({ path, state }) => path === name && state === "ready")) return "";
      }
      const answer = await line.ask(`${link}/${name}`, { method: "PUT", body: bytes });
      if (!answer) {
        cuts += 1;
        return undefined;
      }
      expectStatus(answer, [201], "a plain upload");
      return textOf(answer).trim();
    },
  };
}

/** How far an upload in parts is; `url` when it has become a share. */
interface Standing {
  received: number;
  /** Its length is still to be said. */
  deferred: boolean;
  url: string | undefined;
}

const TUS = { "tus-resumable": "1.0.0" };

/** An upload in parts. What was acknowledged of it must be there after whatever happened. */
export function partsSender({ link, name, bytes }: Sent, dice: Dice): Sender {
  const ticket = link.replace("/u/", "");
  const metadata = { ticket, filename: name, relativePath: name };
  const said = Object.entries(metadata).map(([key, value]) => `${key} ${btoa(value)}`);
  const isDeferred = dice.percent(20);
  let place: string | undefined;
  let acknowledged = 0;
  let offered = 0;
  let resumed = 0;

  async function begin(line: Line): Promise<Standing | undefined> {
    const length = isDeferred ? { "upload-defer-length": "1" } : { "upload-length": String(bytes.length) };
    const headers = { ...TUS, ...length, "upload-metadata": said.join(",") };
    const answer = await line.ask("/api/uploads", { method: "POST", headers });
    if (!answer) return undefined;
    expectStatus(answer, [201], "beginning an upload");
    place = answer.headers.get("location") ?? "";
    return { received: 0, deferred: isDeferred, url: undefined };
  }

  async function stand(line: Line, at: string): Promise<Standing | undefined> {
    const answer = await line.ask(at, { method: "HEAD", headers: TUS });
    if (!answer) return undefined;
    expectStatus(answer, [200], "asking where an upload stands");
    const received = Number(answer.headers.get("upload-offset"));
    if (received < acknowledged || received > offered) {
      throw new Error(`${received} bytes are here, of ${acknowledged} acknowledged and ${offered} sent`);
    }
    resumed += 1;
    const deferred = answer.headers.get("upload-defer-length") === "1";
    return { received, deferred, url: urlIn(answer) };
  }

  return {
    resumed: () => resumed,
    async send(line) {
      const stands = place === undefined ? await begin(line) : await stand(line, place);
      if (!stands || place === undefined) return undefined;
      let { received, deferred, url } = stands;
      while (received < bytes.length) {
        const end = Math.min(received + 1 + dice.upTo(bytes.length), bytes.length);
        const isLast = end === bytes.length;
        const headers = {
          ...TUS,
          "content-type": "application/offset+octet-stream",
          "upload-offset": String(received),
          ...(isLast && deferred && { "upload-length": String(bytes.length) }),
        };
        offered = Math.max(offered, end);
        const answer = await line.ask(place, { method: "PATCH", headers, body: bytes.slice(received, end) });
        if (!answer) return undefined;
        expectStatus(answer, [204], "a part of an upload");
        received = Number(answer.headers.get("upload-offset"));
        if (received !== end) throw new Error(`${received} bytes instead of ${end} were acknowledged`);
        acknowledged = received;
        deferred &&= !isLast;
        url = urlIn(answer);
      }
      return url ?? "";
    },
  };
}

const urlIn = ({ headers }: Answer) => headers.get("content-location") ?? undefined;

/** A bundle of what other senders send through the same link, one or two at a time. */
export function bundleSender(link: string, members: Sender[], dice: Dice): Sender {
  const missing = new Set(members);
  const settings = new TextEncoder().encode(JSON.stringify({ files: members.length, title: "Bundle" }));
  let isPrepared = false;

  async function prepare(line: Line): Promise<boolean> {
    const headers = { "content-type": "application/json" };
    const answer = await line.ask(`${link}/settings`, { method: "POST", headers, body: settings });
    if (answer) expectStatus(answer, [204], "the settings of a bundle");
    return answer !== undefined;
  }

  return {
    resumed: () => members.reduce((sum, member) => sum + member.resumed(), 0),
    async send(line) {
      isPrepared ||= await prepare(line);
      if (!isPrepared) return undefined;
      while (missing.size > 0) {
        const some = [...missing].slice(0, dice.percent(50) ? 1 : 2);
        const sent = await Promise.all(some.map((member) => member.send(line)));
        for (const [at, member] of some.entries()) if (sent[at] !== undefined) missing.delete(member);
        if (sent.includes(undefined)) return undefined;
      }
      const view = await viewOf(line, link);
      if (!view) return undefined;
      if (view.state === "used") return view.url ?? GONE;
      // Its last file was there before anybody could make it a share.
      const answer = await line.ask(`${link}/finish`, { method: "POST" });
      if (!answer) return undefined;
      expectStatus(answer, [201, 410], "closing a bundle");
      return answer.status === 201 ? textOf(answer).trim() : (await viewOf(line, link))?.url;
    },
  };
}
