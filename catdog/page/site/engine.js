/** The engine that answers on this page; elements never ask which one it is. */
import { started } from "../start.js";
import { DeviceEngine } from "./device.js";

export { EngineError } from "./types.js";

/** @type {import("./types.js").Engine} */
export const engine = new DeviceEngine(started);
