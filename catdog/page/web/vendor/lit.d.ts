// The types of lit.js, for the check in site/.
export * from "lit";
export * from "lit/directives/class-map.js";
export * from "lit/directives/if-defined.js";
export * from "lit/directives/live.js";
export * from "lit/directives/ref.js";
export * from "lit/directives/repeat.js";
export * from "lit/directives/style-map.js";
export * from "lit/directives/until.js";
export * from "lit/directives/when.js";
