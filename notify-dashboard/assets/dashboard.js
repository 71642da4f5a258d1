// What a script adds: relative times, copy buttons, live refresh, shortcuts. Every function works without it.
"use strict";

const store = { get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
  set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* remembered is a comfort */ } } };
const el = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const regions = (root) => [...root.querySelectorAll("[data-live]")];
const snapshot = (root) => regions(root).map((region) => region.innerHTML).join();
// As the server made it, before anything here touches it.
let shown = snapshot(document);

// Relative times. The absolute one stays in the title. The server's clock and this one may differ.
let skew = 0;
const inWords = (millis) => {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const seconds = Math.round(Math.abs(millis) / 1000);
  const first = Math.max(0, units.findIndex(([size]) => seconds >= size));
  if (seconds < 1) return "now";
  const [size, unit] = units[first];
  const next = units[first + 1];
  const rest = next ? Math.floor((seconds % size) / next[0]) : 0;
  const span = `${Math.floor(seconds / size)} ${unit}` + (rest && first > 0 ? ` ${rest} ${next[1]}` : "");
  return millis < 0 ? `${span} ago` : `in ${span}`;
};
const tellTimes = () => {
  for (const time of document.querySelectorAll("td time:not([data-still])")) {
    const text = inWords(Date.parse(time.dateTime) - Date.now() - skew);
    if (time.textContent !== text) time.textContent = text;
  }
  // Where the absolute time is what counts, the relative one stands beside it.
  for (const time of document.querySelectorAll("time[data-beside]")) {
    const text = ` (${inWords(Date.parse(time.dateTime) - Date.now() - skew)})`;
    const beside = time.querySelector(".beside") ?? time.appendChild(el("span", { className: "beside" }));
    if (beside.textContent !== text) beside.textContent = text;
  }
};
tellTimes();
setInterval(tellTimes, 1000);

// Copy buttons.
const addCopies = () => {
  for (const target of document.querySelectorAll("[data-copy]:not([data-copies])")) {
    target.dataset.copies = "";
    const what = target.closest("div")?.querySelector("dt")?.textContent ?? (target.id === "body" ? "body" : "secret");
    const button = el("button", { type: "button", className: "copy", textContent: "Copy" });
    button.setAttribute("aria-label", `Copy ${what.toLowerCase()}`);
    button.addEventListener("click", async () => {
      const text = target.value ?? target.firstChild?.textContent ?? "";
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    target.tagName === "DD" ? target.append(button) : target.after(button);
  }
};
addCopies();

// The server cannot know the browser's clock.
const own = document.querySelector(`#zone option[value="${-new Date().getTimezoneOffset()}"]`);
if (own) own.textContent = `Local (${own.textContent})`;

// Tick all rows, or none.
for (const form of document.querySelectorAll("form[data-many]")) {
  const all = el("button", { type: "button", textContent: "Tick all" });
  all.addEventListener("click", () => {
    const boxes = [...form.querySelectorAll("input[type=checkbox]")];
    const some = boxes.some((box) => !box.checked);
    boxes.forEach((box) => { box.checked = some; });
  });
  form.querySelector(".actions").prepend(all);
}

// Live refresh: one request for this page, answered 304 while nothing changes. A row under the pointer or the focus
// never moves: then it only says that there is something new.
const foot = document.querySelector(".foot");
if (foot && regions(document).length > 0) {
  const every = el("select", {}, ...[["0", "Off"], ["2", "2 s"], ["5", "5 s"], ["15", "15 s"], ["60", "60 s"]]
    .map(([value, text]) => el("option", { value, textContent: text })));
  every.value = store.get("notify-refresh") ?? "5";
  const label = el("label", {}, "Refresh ", every);
  const status = el("span", { textContent: "" });
  const spoken = el("span", { className: "hidden" });
  spoken.setAttribute("role", "status");
  const show = el("button", { type: "button", textContent: "Show what is new", hidden: true });
  foot.prepend(el("div", { className: "live" }, label, show, status, spoken));

  let timer, tag = null, waiting = null, spokenAt = 0, failed = 0;
  const busy = () => document.hidden || document.querySelector("dialog[open]") !== null
    || regions(document).some((region) => region.contains(document.activeElement) || region.matches(":hover")
      || region.querySelector("input:checked"));
  const clock = () => new Date(Date.now() + skew).toISOString().slice(11, 19);
  const put = (next) => {
    shown = snapshot(next);
    for (const region of regions(document)) {
      const fresh = next.querySelector(`[data-live="${region.dataset.live}"]`);
      if (!fresh) continue;
      // What the reader opened or closed stays so.
      const opened = [...region.querySelectorAll("details")].map((details) => details.open);
      region.replaceChildren(...fresh.childNodes);
      region.querySelectorAll("details").forEach((details, index) => {
        const fromEnd = region.querySelectorAll("details").length - index;
        if (opened.length >= fromEnd) details.open = opened[opened.length - fromEnd];
      });
    }
    waiting = null;
    show.hidden = true;
    tellTimes();
    addCopies();
    if (Date.now() - spokenAt > 30000) {
      spokenAt = Date.now();
      spoken.textContent = `Updated ${clock()}`;
    }
  };
  const look = async () => {
    if (!document.hidden && !document.querySelector("dialog[open]")) {
      try {
        const answer = await fetch(location.href, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
        failed = 0;
        status.textContent = `Updated ${clock()}`;
        skew = Date.parse(answer.headers.get("Date") ?? "") - Date.now() || 0;
        if (answer.status === 200) {
          tag = answer.headers.get("ETag");
          const next = new DOMParser().parseFromString(await answer.text(), "text/html");
          if (snapshot(next) === shown) { waiting = null; show.hidden = true; }
          else if (busy()) { waiting = next; show.hidden = false; }
          else put(next);
        } else if (answer.status !== 304) status.textContent = `Not updated: answer ${answer.status}`;
      } catch {
        failed += 1;
        status.textContent = "Not updated: no answer";
      }
    }
    plan();
  };
  const plan = () => {
    clearTimeout(timer);
    // A test event that was just sent is worth a closer look.
    const seconds = Math.min(Number(every.value), document.querySelector("[data-soon]") ? 1 : 60);
    if (seconds > 0) timer = setTimeout(look, seconds * 1000 * Math.min(8, 2 ** failed));
    else status.textContent = "";
  };
  show.addEventListener("click", () => waiting && put(waiting));
  every.addEventListener("change", () => { store.set("notify-refresh", every.value); plan(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && Number(every.value) > 0) look(); });
  plan();
  window.notifyRefresh = look;
}

// Shortcuts, listed under `?`.
const nav = [...document.querySelectorAll(".bar nav a")];
if (nav.length > 0) {
  const keys = [["g o", "Overview"], ["g w", "Webhooks"], ["g l", "Logs"], ["/", "Search by id"], ["j k", "Next or previous row"],
    ["Enter", "Open the row"], ["x", "Tick the row"], ["r", "Resend, on a delivery"], [".", "Refresh now"], ["?", "This list"]];
  const off = el("input", { type: "checkbox", checked: store.get("notify-keys") === "off" });
  off.addEventListener("change", () => store.set("notify-keys", off.checked ? "off" : "on"));
  const help = el("dialog", {}, el("h2", { id: "keys", textContent: "Shortcuts" }),
    el("dl", { className: "facts" }, ...keys.map(([key, text]) =>
      el("div", {}, el("dt", {}, el("kbd", { textContent: key })), el("dd", { textContent: text })))),
    el("p", {}, el("label", { className: "check" }, off, "Switch shortcuts off")),
    el("form", { method: "dialog" }, el("button", { textContent: "Close" })));
  help.setAttribute("aria-labelledby", "keys");
  document.body.append(help);
  const open = el("button", { type: "button", textContent: "Shortcuts" });
  open.addEventListener("click", () => help.showModal());
  foot?.append(open);

  let before = "";
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.ctrlKey || event.metaKey || event.altKey || typing || help.open) return;
    if (event.key === "?") { event.preventDefault(); help.showModal(); return; }
    if (off.checked) return;
    const key = before === "g" ? `g ${event.key}` : event.key;
    before = event.key;
    const rows = [...document.querySelectorAll("a.row")];
    const at = rows.indexOf(document.activeElement);
    const go = (name) => nav.find((link) => link.textContent === name)?.click();
    const does = { "g o": () => go("Overview"), "g w": () => go("Webhooks"), "g l": () => go("Logs"),
      "/": () => document.getElementById("q")?.focus(), j: () => rows[Math.min(at + 1, rows.length - 1)]?.focus(),
      k: () => rows[Math.max(at - 1, 0)]?.focus(),
      x: () => document.activeElement.closest("tr")?.querySelector("input[type=checkbox]")?.click(), r: () => document.querySelector("[data-key=r]")?.click(),
      ".": () => window.notifyRefresh?.() }[key];
    if (does) { event.preventDefault(); does(); }
  });
}
