// Reads `cargo metadata --no-deps` on standard input and fails on what no compiler checks:
// a crate that opts out of the workspace's lints, and an edge between our crates that the table below lacks
// (an adapter that imports its sister cannot be used without it).
// With --target-directory it only prints where cargo builds.

import { readFileSync } from "node:fs";

const everything = [
  "notify-core",
  "notify-http",
  "notify-dashboard",
  "notify-store-redis",
  "notify-store-sqlite",
  "notify-test-servers",
];

// Which of our crates each may depend on, in tests too.
const mayImport = {
  "notify-core": [],
  "notify-http": ["notify-core"],
  "notify-dashboard": ["notify-core"],
  "notify-http-providers": ["notify-core", "notify-http"],
  "notify-store-redis": ["notify-core", "notify-test-servers"],
  "notify-store-sqlite": ["notify-core"],
  // Starts real servers, for tests alone; it is not published.
  "notify-test-servers": [],
  "notify-bench": everything,
  "notify-examples": everything,
  "custom-store": ["notify-core"],
};

const metadata = JSON.parse(readFileSync(0, "utf8"));

if (process.argv.includes("--target-directory")) {
  console.log(metadata.target_directory);
  process.exit();
}

const faults = [];
for (const { name, dependencies, manifest_path } of metadata.packages) {
  if (!/^\[lints\]\nworkspace = true$/m.test(readFileSync(manifest_path, "utf8"))) {
    faults.push(`${name}: its Cargo.toml lacks [lints] workspace = true`);
  }
  if (!(name in mayImport)) {
    faults.push(`${name}: has no line in ${import.meta.url.split("/").pop()}`);
    continue;
  }
  // A crate may name itself: that is how its tests turn its own features on.
  const ours = dependencies.filter((dependency) => dependency.name.startsWith("notify-") && dependency.name !== name);
  for (const dependency of ours.filter((dependency) => !mayImport[name].includes(dependency.name))) {
    faults.push(`${name}: must not depend on ${dependency.name}`);
  }
}
for (const name of Object.keys(mayImport)) {
  if (!metadata.packages.some((crate) => crate.name === name)) faults.push(`${name}: is in the table, but gone`);
}

for (const fault of faults) console.error(fault);
process.exit(faults.length === 0 ? 0 : 1);
