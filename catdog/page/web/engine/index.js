/** The engine that answers on this page; elements never ask which one it is. */
import { ServerEngine } from "./server.js";

export { EngineError } from "./types.js";

/** @type {import("./types.js").Engine} */
export const engine = new ServerEngine();
