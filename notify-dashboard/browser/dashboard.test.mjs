// What only a browser can tell: the policy holds, nothing lands on the console, axe finds nothing serious, everything
// works by keyboard, and nothing scrolls sideways. Every page is left as a picture in browser/pictures/.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { browser as launch, gallery, linkOn, states, tab } from "./gallery.mjs";

const AXE = await readFile(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const PICTURES = new URL("pictures/", import.meta.url).pathname;
let host, browser;

before(async () => {
  mkdirSync(PICTURES, { recursive: true });
  [host, browser] = await Promise.all([gallery(), launch()]);
});
after(async () => {
  await browser?.close();
  host?.stop();
});

for (const theme of ["light", "dark"]) {
  for (const width of [1280, 390]) {
    test(`every page is clean in ${theme} at ${width} pixels`, async () => {
      const { page, faults, close } = await tab(browser, { theme, width });
      // All of them at once: one run tells everything.
      const problems = [];
      for (const { name, path } of await states(page, host.address)) {
        faults.length = 0;
        const answer = await page.goto(host.address + path);
        // That a page answers 403 or 404 on purpose is told on the console too.
        const known = answer.status() >= 400 ? /status of (40[034]|503)/ : /^$/;
        // The one page that is shown with its tables, which are closed at first.
        if (name === "many-health-failing") await page.locator("details").evaluateAll((all) => all.forEach((details) => { details.open = true; }));
        await page.screenshot({ path: `${PICTURES}${name}-${theme}-${width}.png`, fullPage: true });
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (sideways > 0) problems.push(`${name} scrolls sideways by ${sideways} pixels`);
        problems.push(...faults.filter((fault) => !known.test(fault)).map((fault) => `${name}: ${fault}`));
        // The narrow page has the same colours as the wide one.
        if (width < 500 && theme === "dark") continue;
        // By the protocol, not as a script of the page, which the policy would refuse.
        await page.evaluate(AXE);
        const { violations } = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
        const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        problems.push(...serious.map(({ id, nodes }) => `${name}: axe ${id}: ${nodes.map(({ html }) => html).join(" | ").slice(0, 300)}`));
      }
      await close();
      assert.deepEqual(problems, []);
    });
  }
}

test("a hostile name runs nothing and moves nothing", async () => {
  const { page, faults, close } = await tab(browser);
  const hostile = await linkOn(page, host.address, "/long/webhooks", "td a.row:has-text('script')");
  await page.goto(host.address + hostile);
  assert.match(await page.locator("h1").innerText(), /<script>alert\(1\)<\/script>" onmouseover="alert\(2\)/);
  await page.locator("h1").hover();
  assert.deepEqual(faults, []);
  await close();
});

test("the keyboard alone makes a webhook, pings it, and opens the delivery", async () => {
  const { page, faults, close } = await tab(browser);
  await page.goto(`${host.address}/empty/`);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  const reach = async (name) => {
    for (let step = 0; step < 60; step += 1) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        const { activeElement: at } = document;
        const visible = at.getBoundingClientRect();
        const outline = getComputedStyle(at).outlineStyle;
        return { text: (at.labels?.[0]?.textContent ?? at.textContent).trim(), seen: visible.width > 0 && outline !== "none" };
      });
      if (at.text === name) {
        assert.ok(at.seen, `${name} shows where the focus is`);
        return;
      }
    }
    assert.fail(`${name} cannot be reached`);
  };
  await reach("New webhook");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/webhooks/new");
  await reach("Name");
  await page.keyboard.type("by keyboard");
  await reach("URL");
  await page.keyboard.type("https://keyboard.example.com/hook");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Webhook created" }).waitFor();
  await reach("Send test event");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/webhooks/*?ping=*");
  // Without a reload: the page looks again by itself.
  await page.getByText("Answered 200").waitFor();
  await reach("Look at its delivery");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/logs/deliveries/**");
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await page.waitForURL("**/logs");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/logs/events/**");
  await page.keyboard.press("?");
  assert.ok(await page.getByRole("dialog", { name: "Shortcuts" }).isVisible());
  await page.keyboard.press("Escape");
  assert.deepEqual(faults, []);
  await close();
});

test("every control has a name", async () => {
  const { page, close } = await tab(browser);
  for (const { name, path } of await states(page, host.address)) {
    await page.goto(host.address + path);
    const nameless = await page.evaluate(() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea")]
      .filter((control) => !(control.getAttribute("aria-label") || control.labels?.length || control.textContent.trim()))
      .map((control) => control.outerHTML));
    assert.deepEqual(nameless, [], name);
  }
  await close();
});

test("the page refreshes itself, but no row moves under the pointer or the focus", async () => {
  const { page, close } = await tab(browser);
  await page.goto(`${host.address}/one/logs?range=all`);
  const rows = () => page.locator("tbody tr").count();
  const began = await rows();
  const webhook = await linkOn(page, host.address, "/one/webhooks", "td a.row");
  await page.goto(`${host.address}/one/logs?range=all`);
  // Sent as the page's own form would be: the tests have no other way in.
  const ping = () => page.request.post(`${host.address}${webhook}/ping`, { headers: { origin: host.address }, maxRedirects: 0 });
  await page.locator("tbody tr").first().hover();
  await ping();
  await page.evaluate(() => window.notifyRefresh());
  assert.equal(await rows(), began, "a row under the pointer stays");
  await page.getByRole("button", { name: "Show what is new" }).click();
  assert.equal(await rows(), began + 1);
  await page.mouse.move(2, 2);
  await page.locator("h1").click();
  await ping();
  await page.evaluate(() => window.notifyRefresh());
  assert.equal(await rows(), began + 2);
  assert.match(await page.locator("tbody time").first().innerText(), /ago|now|in /);
  await close();
});

/** What is wrong with the page that is open, beside what it is for. */
async function problemsOf(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => axe.run(document));
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
}

test("rows that are ticked stay where they are, and one form sends them again", async () => {
  const { page, faults, close } = await tab(browser);
  await page.goto(host.address + await linkOn(page, host.address, "/many/webhooks?q=warehouse", "td a.row"));
  const boxes = page.getByRole("checkbox");
  await page.locator("td a.row").first().focus();
  await page.keyboard.press("x");
  assert.ok(await boxes.first().isChecked(), "x ticks the row");
  await page.getByRole("button", { name: "Tick all" }).click();
  assert.equal(await page.locator("td input:checked").count(), await boxes.count());
  await boxes.first().uncheck();
  await page.locator("h1").click();
  await page.evaluate(() => window.notifyRefresh());
  assert.equal(await page.locator("td input:checked").count(), await boxes.count() - 1, "a refresh unticks nothing");
  await page.getByRole("button", { name: "Send ticked again" }).click();
  await page.getByRole("heading", { name: /^\d+ sent again, \d+ refused$/ }).waitFor();
  await page.screenshot({ path: `${PICTURES}many-resent-light-1280.png`, fullPage: true });
  assert.deepEqual(await problemsOf(page), []);
  await page.getByRole("link", { name: "Back to the list" }).click();
  await page.waitForURL("**/webhooks/*");
  assert.deepEqual(faults, []);
  await close();
});

test("a form that is refused says why beside the field and keeps what was typed", async () => {
  const { page, faults, close } = await tab(browser, { scripts: false });
  await page.goto(`${host.address}/empty/webhooks/new`);
  await page.getByLabel("Name").fill("typed");
  await page.getByLabel("URL").fill("https://typed.example.com/hook");
  await page.locator("summary").click();
  await page.getByLabel("Retry schedule").fill("5min,soon");
  await page.getByLabel("Disabled at first").check();
  await page.getByRole("button", { name: "Create webhook" }).click();
  await page.getByText("Not saved.").waitFor();
  await page.screenshot({ path: `${PICTURES}form-refused-light-1280.png`, fullPage: true });
  assert.equal(await page.getByLabel("Name").inputValue(), "typed");
  assert.ok(await page.getByLabel("Disabled at first").isChecked());
  const field = page.getByLabel("Retry schedule");
  assert.equal(await field.inputValue(), "5min,soon");
  assert.match(await field.getAttribute("aria-describedby"), /schedule-error/);
  await field.fill("1min,1h");
  await page.getByRole("button", { name: "Show the retry times" }).click();
  assert.equal(await page.locator("form tbody tr").count(), 3);
  assert.equal(await field.inputValue(), "1min,1h");
  // The refusal itself is told on the console.
  assert.deepEqual(faults.filter((fault) => !fault.includes("422")), []);
  await close();
});

test("all that match a filter are counted, then sent again", async () => {
  const { page, faults, close } = await tab(browser);
  await page.goto(`${host.address}/many/logs?by=delivery&status=failed&range=all`);
  await page.getByRole("link", { name: "Send all that match again…" }).click();
  await page.getByText(/^\d+ deliver(y|ies)$/).waitFor();
  await page.getByRole("button", { name: "Send them again" }).click();
  await page.getByText(/^\d+ sent again$/).waitFor();
  await page.screenshot({ path: `${PICTURES}many-matching-done-light-1280.png`, fullPage: true });
  assert.deepEqual(await problemsOf(page), []);
  await page.getByRole("link", { name: "Back to the list" }).click();
  await page.waitForURL("**/many/logs?**");
  assert.deepEqual(faults, []);
  await close();
});

test("a test event's data that is no JSON is told beside its field and stays there", async () => {
  const { page, faults, close } = await tab(browser, { scripts: false });
  const webhook = await linkOn(page, host.address, "/one/webhooks", "td a.row");
  await page.goto(`${host.address}${webhook}?type=endpoint.ping`);
  const data = page.getByLabel("Data, as JSON");
  assert.match(await data.inputValue(), /"endpoint_id": "ep_/);
  await data.fill('{\n  "mine": \n}');
  await page.getByRole("button", { name: "Send test event" }).click();
  await page.getByText(/^Data is not one JSON value/).waitFor();
  assert.equal(await data.inputValue(), '{\n  "mine": \n}');
  assert.match(await data.getAttribute("aria-describedby"), /data-error/);
  await page.screenshot({ path: `${PICTURES}one-webhook-data-refused-light-1280.png`, fullPage: true });
  assert.deepEqual(faults.filter((fault) => !fault.includes("422")), []);
  await close();
});

test("times are told by the clock that was chosen", async () => {
  const { page, faults, close } = await tab(browser);
  await page.goto(host.address + await linkOn(page, host.address, "/many/logs?range=all&by=delivery&status=scheduled", "td a.row"));
  const next = () => page.locator("dt:has-text('Next attempt') + dd time").first();
  const told = () => next().evaluate((time) => Date.parse(`${time.firstChild.textContent} UTC`));
  const [utc, at] = [await told(), await next().getAttribute("datetime")];
  assert.match(await page.locator("dt:has-text('Next attempt') + dd .beside").innerText(), /ago|in |now/);
  await page.getByLabel("Times in").selectOption("330");
  await page.getByRole("button", { name: "Show times so" }).click();
  await page.getByText("Times are UTC+05:30").waitFor();
  assert.equal(await next().getAttribute("datetime"), at);
  assert.equal(await told() - utc, 330 * 60_000);
  assert.deepEqual(faults, []);
  await close();
});

test("without scripts the pages look the same and forms work", async () => {
  const { page, faults, close } = await tab(browser, { scripts: false });
  await page.goto(`${host.address}/one/webhooks`);
  await page.locator("td a.row").first().click();
  await page.getByRole("button", { name: "Disable" }).click();
  await page.getByText("Disabled. What is published meanwhile").waitFor();
  await page.getByRole("button", { name: "Enable and send what is held" }).click();
  await page.getByText("Enabled.").waitFor();
  await page.getByRole("button", { name: "Dark theme" }).click();
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  assert.deepEqual(faults, []);
  await close();
});
