import type { ServerWebSocket } from "bun";
import { GatewayCloseCodes, GatewayDispatchEvents, GatewayOpcodes } from "discord-api-types/v10";
import type { Changes } from "./changes.ts";
import { type IdentifyData, isIdentify, isResume, parse, type ResumeData } from "./gateway-payload.ts";
import { applicationPayload, guildCreatePayload, selfPayload } from "./payloads.ts";
import type { World } from "./world.ts";

/** Guild members, presences, message content: a bot gets them only when the developer portal grants them. */
const PRIVILEGED = (1 << 1) | (1 << 8) | (1 << 15);
const GUILDS = 1 << 0;
// Poll votes in direct messages: the highest that exists. https://discord.com/developers/docs/events/gateway#list-of-intents
const HIGHEST_INTENT = 1 << 25;

/** Events that a RESUME can bring back. */
const REPLAYED = 5000;

export interface GatewayOptions {
  /** Milliseconds between heartbeats, as HELLO asks for. Default Discord's 41250. */
  heartbeatInterval?: number;
  /** Privileged intents that are granted, as bits. Default none. */
  privilegedIntents?: number;
  /** IDENTIFYs left of today's 1000. */
  sessionsLeft?: number;
}

interface Session {
  id: string;
  intents: number;
  seq: number;
  /** Everything sent, for a RESUME. */
  sent: { seq: number; frame: string }[];
  socket: Socket | undefined;
}

interface SocketData {
  session: Session | undefined;
  /** What this connection has been asked, for the records. */
  openedAt: number;
}

export type Socket = ServerWebSocket<SocketData>;

/** How often what happened on the gateway. */
export interface GatewayCounts {
  connections: number;
  identifies: number;
  resumes: number;
  heartbeats: number;
  /** Close codes that the gateway or the bot closed with, in order. */
  closes: number[];
}

export interface Gateway {
  readonly counts: Readonly<GatewayCounts>;
  /** Whether the bot is logged in and listening now. */
  readonly connected: boolean;
  /** Resolves once the bot is logged in and listening; at once when it is. */
  ready(options?: { timeout?: number }): Promise<void>;
  /** Cuts every connection without a close frame, as a network does. `forget` loses the sessions as well. */
  drop(options?: { forget?: boolean }): void;
  /** Closes every connection with a code of Discord's. */
  close(code: number, reason?: string): void;
  /** Asks the bot to come back (op 7). */
  reconnect(): void;
  /** Says that the session is worth nothing any more (op 9). */
  invalidate(): void;
  /** Heartbeats stay unanswered until it is called with false: a zombie connection. */
  mute(muted: boolean): void;
  /** Refuses new connections until it is called with false. */
  refuse(refusing: boolean): void;
  /** Later logins: which privileged intents are granted. */
  grant(intents: number): void;
}

export interface GatewayServer extends Gateway {
  /** Takes the HTTP request over; false when it is none for the gateway. */
  upgrade(request: Request, server: Bun.Server<SocketData>): boolean;
  readonly handlers: Bun.WebSocketHandler<SocketData>;
  /** Sends an event to every session that asked for one of `intents`; 0: to all. `data` sees the session's intents. */
  dispatch(event: `${GatewayDispatchEvents}`, data: (intents: number) => object, intents?: number): void;
  information(): { url: string; shards: number; session_start_limit: Record<string, number> };
}

export interface GatewayDeps {
  world: World;
  changes: Changes;
  token(): string;
  /** ws:// address of this gateway. */
  url(): string;
  /** A payload that the gateway does not understand. */
  violation(text: string): void;
  /** Checks what is sent against Discord's description. */
  check(event: string, data: unknown): void;
}

export function createGateway(deps: GatewayDeps, options: GatewayOptions): GatewayServer {
  const { world, changes } = deps;
  const { heartbeatInterval = 41_250 } = options;
  let granted = options.privilegedIntents ?? 0;
  let sessionsLeft = options.sessionsLeft ?? 1000;
  let muted = false;
  let refusing = false;
  const sessions = new Map<string, Session>();
  const sockets = new Set<Socket>();
  const counts: GatewayCounts = { connections: 0, identifies: 0, resumes: 0, heartbeats: 0, closes: [] };

  const frame = (op: GatewayOpcodes, d: unknown = null, s: number | null = null, t: string | null = null) =>
    JSON.stringify({ op, d, s, t });

  function push(session: Session, event: string, data: unknown): void {
    deps.check(event, data);
    session.seq += 1;
    const text = frame(GatewayOpcodes.Dispatch, data, session.seq, event);
    session.sent.push({ seq: session.seq, frame: text });
    if (session.sent.length > REPLAYED) session.sent.shift();
    session.socket?.send(text);
  }

  function identify(socket: Socket, data: IdentifyData): void {
    counts.identifies += 1;
    sessionsLeft -= 1;
    if (data.token !== deps.token())
      return void socket.close(GatewayCloseCodes.AuthenticationFailed, "Authentication failed.");
    if (data.intents < 0 || data.intents >= HIGHEST_INTENT * 2)
      return void socket.close(GatewayCloseCodes.InvalidIntents, "Invalid intent(s).");
    if (data.intents & PRIVILEGED & ~granted)
      return void socket.close(GatewayCloseCodes.DisallowedIntents, "Disallowed intent(s).");
    // A bot that logs in anew has no more use for what it lost.
    for (const { id, socket } of [...sessions.values()]) if (!socket) sessions.delete(id);
    const session: Session = {
      id: Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex"),
      intents: data.intents,
      seq: 0,
      sent: [],
      socket,
    };
    sessions.set(session.id, session);
    socket.data.session = session;
    welcome(session);
    changes.emit("gateway");
  }

  function welcome(session: Session): void {
    const guilds = [...world.guilds.values()].filter(({ hasBot }) => hasBot);
    const { id, flags } = applicationPayload(world, granted);
    push(session, GatewayDispatchEvents.Ready, {
      v: 10,
      user: selfPayload(world.bot),
      guilds: guilds.map(({ id }) => ({ id, unavailable: true })),
      session_id: session.id,
      resume_gateway_url: deps.url(),
      application: { id, flags },
    });
    if (!(session.intents & GUILDS)) return;
    for (const guild of guilds)
      push(session, GatewayDispatchEvents.GuildCreate, guildCreatePayload(world, guild));
  }

  function resume(socket: Socket, data: ResumeData): void {
    const session = sessions.get(data.session_id);
    if (data.token !== deps.token())
      return void socket.close(GatewayCloseCodes.AuthenticationFailed, "Authentication failed.");
    if (!session || data.seq > session.seq)
      return void socket.send(frame(GatewayOpcodes.InvalidSession, false));
    counts.resumes += 1;
    session.socket = socket;
    socket.data.session = session;
    for (const { seq, frame } of session.sent) if (seq > data.seq) socket.send(frame);
    push(session, GatewayDispatchEvents.Resumed, { _trace: [] });
    changes.emit("gateway");
  }

  function receive(socket: Socket, text: string | Buffer): void {
    const payload = parse(String(text));
    if (!payload) return void socket.close(GatewayCloseCodes.DecodeError, "Error while decoding payload.");
    const { op, d } = payload;
    if (op === GatewayOpcodes.Heartbeat) {
      counts.heartbeats += 1;
      if (!muted) socket.send(frame(GatewayOpcodes.HeartbeatAck));
      changes.emit("gateway");
    } else if (op === GatewayOpcodes.Identify && isIdentify(d)) identify(socket, d);
    else if (op === GatewayOpcodes.Resume && isResume(d)) resume(socket, d);
    else if (op !== GatewayOpcodes.PresenceUpdate) misunderstood(socket, op, d);
  }

  function misunderstood(socket: Socket, op: number, d: unknown): void {
    if (!socket.data.session)
      return void socket.close(GatewayCloseCodes.NotAuthenticated, "Not authenticated.");
    deps.violation(`gateway: opcode ${op} with ${JSON.stringify(d)} is not understood`);
    socket.close(GatewayCloseCodes.UnknownOpcode, "Unknown opcode.");
  }

  const eachSocket = (act: (socket: Socket) => void) => [...sockets].forEach(act);

  return {
    counts,
    get connected() {
      return [...sessions.values()].some(({ socket }) => socket !== undefined);
    },
    async ready({ timeout } = {}) {
      const probe = () => ([...sessions.values()].some(({ socket }) => socket) ? true : undefined);
      await changes.until("the bot to log in", probe, { ...(timeout && { timeout }), seen: () => counts });
    },
    drop({ forget = false } = {}) {
      if (forget) sessions.clear();
      eachSocket((socket) => socket.terminate());
    },
    close: (code, reason = "") => eachSocket((socket) => socket.close(code, reason)),
    reconnect: () => eachSocket((socket) => void socket.send(frame(GatewayOpcodes.Reconnect))),
    invalidate() {
      sessions.clear();
      eachSocket((socket) => {
        socket.data.session = undefined;
        socket.send(frame(GatewayOpcodes.InvalidSession, false));
      });
    },
    mute(value) {
      muted = value;
    },
    refuse(value) {
      refusing = value;
    },
    grant(intents) {
      granted = intents;
    },
    upgrade(request, server) {
      if (refusing || new URL(request.url).pathname !== "/gateway") return false;
      return server.upgrade(request, { data: { session: undefined, openedAt: Date.now() } });
    },
    handlers: {
      open(socket) {
        counts.connections += 1;
        sockets.add(socket);
        socket.send(frame(GatewayOpcodes.Hello, { heartbeat_interval: heartbeatInterval, _trace: [] }));
      },
      message: receive,
      close(socket, code) {
        sockets.delete(socket);
        counts.closes.push(code);
        if (socket.data.session?.socket === socket) socket.data.session.socket = undefined;
        changes.emit("gateway");
      },
    },
    dispatch(event, data, intents = 0) {
      for (const session of sessions.values())
        if (intents === 0 || session.intents & intents) push(session, event, data(session.intents));
    },
    information: () => ({
      url: deps.url(),
      shards: 1,
      session_start_limit: {
        total: 1000,
        remaining: Math.max(0, sessionsLeft),
        reset_after: 14_400_000,
        max_concurrency: 1,
      },
    }),
  };
}
