import { version as packageVersion } from "../package.json";

// scripts/build.ts replaces both by literals (`--define`); run from source, neither is set.

/** Such as `0.1.0`. */
export const version = process.env.WISBOT_BUILD_VERSION ?? packageVersion;

/** The commit that this binary was built from; `source` when it runs from source. */
export const commit = process.env.WISBOT_BUILD_COMMIT ?? "source";
