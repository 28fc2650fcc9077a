export { formatBytes } from "../describe.ts";
