import type { Server } from "bun";
import type { Handler as HonoHandler, MiddlewareHandler } from "hono";

/** What every handler finds in its context. */
export interface WebEnv {
  Bindings: { server: Server<undefined> };
  Variables: {
    /** The address that limits count by: the socket's peer, or whom a trusted proxy names. */
    client: string;
    /** The socket's own peer, whatever headers say. */
    peer: string;
  };
}

export type Middleware = MiddlewareHandler<WebEnv>;
export type Handler<Path extends string> = HonoHandler<WebEnv, Path>;
