// Starts the gallery (every state of the dashboard, on a free port) and a browser, and ends both.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

/** Where Debian installs it. */
const BROWSER = process.env.NOTIFY_CHROMIUM ?? "/usr/bin/chromium";

/** Runs a program that prints `listening on URL`, and gives its address and an end. */
export async function serve(program, options = []) {
  if (!existsSync(program)) throw new Error(`${program} is not built: cargo build -p notify-dashboard --example gallery`);
  const child = spawn(program, options, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const found = line.match(/(?:listening on|dashboard) +(http:\/\/\S+)/);
    if (found) return { address: found[1], stop: () => child.kill() };
  }
  throw new Error(`${program} ended without saying where it listens`);
}

/** The gallery, as cargo built it. */
export function gallery() {
  const target = process.env.CARGO_TARGET_DIR ?? new URL("../../target", import.meta.url).pathname;
  return serve(`${target}/debug/examples/gallery`);
}

/** A browser. A missing one is a failure, not a skip. */
export function browser() {
  if (!existsSync(BROWSER)) throw new Error(`no browser at ${BROWSER}: install Debian's chromium`);
  return chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox", "--disable-gpu"] });
}

/** A tab that records what a page must never do. */
export async function tab(browser, { width = 1280, theme = "light", scripts = true } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: width < 500 ? 844 : 900 },
    colorScheme: theme,
    javaScriptEnabled: scripts,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const faults = [];
  // A refused policy is reported to the console too, as an error.
  page.on("console", (message) => message.type() === "error" && faults.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => { faults.push(`dialog: ${dialog.message()}`); return dialog.dismiss(); });
  return { page, faults, close: () => context.close() };
}

/** The first link on `path` that `selector` finds. */
export async function linkOn(page, address, path, selector) {
  await page.goto(address + path);
  return page.locator(selector).first().getAttribute("href");
}

/** Name and path of every page in every state. */
export async function states(page, address) {
  const found = [];
  const add = (name, path) => found.push({ name, path });
  for (const state of ["empty", "one", "many", "long", "viewer"]) {
    add(`${state}-overview`, `/${state}/`);
    add(`${state}-webhooks`, `/${state}/webhooks`);
    add(`${state}-logs`, `/${state}/logs?range=all`);
    if (state === "empty") {
      for (const name of ["webhooks/new", "event-types", "about", "nothing-here"]) add(`${state}-${name.replace("/", "-")}`, `/${state}/${name}`);
      continue;
    }
    const webhook = await linkOn(page, address, `/${state}/webhooks`, "td a.row");
    add(`${state}-webhook`, webhook);
    const sent = await linkOn(page, address, webhook, "td a.row");
    add(`${state}-webhook-pinged`, `${webhook}?ping=${sent.split("/").pop()}`);
    add(`${state}-history`, `${webhook}/history`);
    add(`${state}-health`, `${webhook}/health?range=7d`);
    add(`${state}-secret`, `${webhook}/secret`);
    add(`${state}-deliveries`, `/${state}/logs?range=all&by=delivery`);
    const event = await linkOn(page, address, `/${state}/logs?range=all`, "td a.row[href*='/logs/events/']");
    add(`${state}-event`, event);
    add(`${state}-delivery`, await linkOn(page, address, `/${state}/logs?range=all&by=delivery`, "td a.row"));
    if (state === "viewer") continue;
    add(`${state}-event-pretty`, `${event}?view=pretty`);
    add(`${state}-edit`, `${webhook}/edit`);
    add(`${state}-delete`, `${webhook}/delete`);
    add(`${state}-recover`, `${webhook}/recover`);
    add(`${state}-missing`, `${webhook}/missing`);
    add(`${state}-webhook-example`, `${webhook}?type=connection.created`);
    add(`${state}-matching-resend`, `/${state}/logs/deliveries/matching?by=delivery&do=resend&range=all`);
  }
  add("many-failed", await linkOn(page, address, "/many/logs?range=all&by=delivery&status=failed", "td a.row"));
  add("many-retrying", await linkOn(page, address, "/many/logs?range=all&by=delivery&status=scheduled", "td a.row"));
  for (const range of ["1h", "7d", "30d"]) add(`many-overview-${range}`, `/many/?range=${range}`);
  add("many-health-failing", `${await linkOn(page, address, "/many/webhooks?q=warehouse", "td a.row")}/health`);
  add("many-recover-failing", `${await linkOn(page, address, "/many/webhooks?q=warehouse", "td a.row")}/recover?range=30d`);
  const waiting = "by=delivery&do=cancel&status=scheduled&type=connection.updated&range=all";
  add("many-matching-cancel", `/many/logs/deliveries/matching?${waiting}`);
  add("many-matching-nothing", "/many/logs/deliveries/matching?by=delivery&do=cancel&status=delivered");
  add("cancelling-webhook", await linkOn(page, address, "/cancelling/webhooks", "td a.row"));
  add("cancelling-webhooks", "/cancelling/webhooks");
  add("cancelling-missing", `${await linkOn(page, address, "/cancelling/webhooks", "td a.row")}/missing?range=30d`);
  add("many-history-staged", `${await linkOn(page, address, "/many/webhooks?q=crm", "td a.row")}/history`);
  add("many-disabled", await linkOn(page, address, "/many/webhooks?status=disabled", "td a.row"));
  add("many-history-disabled", `${await linkOn(page, address, "/many/webhooks?status=disabled", "td a.row")}/history`);
  for (const name of ["", "webhooks", "logs", "about"]) add(`down-${name || "overview"}`, `/down/${name}`);
  add("many-no-match", "/many/logs?range=1h&status=no_endpoint");
  add("many-not-found", "/many/logs?q=evt_unknown");
  add("many-bad-filter", "/many/logs?status=nonsense");
  add("many-unmatched", "/many/?tenant=acme");
  add("denied", "/denied/");
  return found;
}
