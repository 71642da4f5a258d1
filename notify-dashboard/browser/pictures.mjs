// Takes the README's pictures: starts the demo given as the first argument, waits until its deliveries have something
// to show, and leaves logs-light.png and logs-dark.png in the folder given as the second.

import { mkdirSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { browser as launch, serve, tab } from "./gallery.mjs";

const [program, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const demo = await serve(program, ["--plain"]);
const browser = await launch();
try {
  // A failed delivery takes 15 s in the demo, and every 10 s it publishes anew.
  await pause(33_000);
  for (const theme of ["light", "dark"]) {
    const { page, close } = await tab(browser, { theme, width: 1200 });
    await page.goto(`${demo.address}logs`);
    await page.setViewportSize({ width: 1200, height: 720 });
    await page.screenshot({ path: `${folder}/logs-${theme}.png` });
    await close();
  }
} finally {
  await browser.close();
  demo.stop();
}
