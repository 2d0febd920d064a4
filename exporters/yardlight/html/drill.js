// The drill page without reloading it: asks the box in the yard every second, and again and again while the Wi-Fi or
// the box is away. Without this script the page works too; it then reloads itself.
"use strict";
(() => {
  const main = document.getElementById("screen");
  const live = document.getElementById("live");
  const since = document.getElementById("since");
  const contact = document.getElementById("contact");
  const state = { revision: Number(main.dataset.revision), ahead: 0, over: false, lost: null, sending: false };
  const pause = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

  function clock(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  }

  // The box's time, not the phone's.
  function now() {
    return Date.now() / 1000 + state.ahead;
  }

  function tick() {
    for (const each of document.querySelectorAll("[data-since]")) {
      each.textContent = (each.dataset.before ?? "") + clock(now() - each.dataset.since);
    }
    for (const each of main.querySelectorAll("[data-until]")) each.textContent = clock(each.dataset.until - now());
    if (state.lost !== null && Date.now() - state.lost > 3000) {
      const text = "No contact with the box in the yard. Stay on the yard's Wi-Fi: this page comes back by itself, and " +
        "what you pressed is not lost.";
      if (contact.textContent !== text) contact.textContent = text;
      contact.hidden = false;
    }
  }

  function show(answer) {
    state.lost = null;
    contact.hidden = true;
    contact.textContent = "";
    state.ahead = answer.now - Date.now() / 1000;
    if (live.textContent !== answer.live) live.textContent = answer.live;
    if (answer.since === null) {
      delete since.dataset.since;
      since.textContent = "";
    } else {
      since.dataset.since = answer.since;
    }
    if (answer.html !== undefined && answer.revision !== state.revision) {
      const another = answer.step !== main.dataset.step || answer.phase !== main.dataset.phase;
      const held = main.contains(document.activeElement) ? document.activeElement.value : undefined;
      main.innerHTML = answer.html;
      state.revision = answer.revision;
      main.dataset.phase = answer.phase;
      main.dataset.step = answer.step;
      document.title = answer.title;
      // A new screen is read out from its heading; on the same one the keyboard stays where it was.
      if (another) {
        document.getElementById("heading").focus();
        window.scrollTo(0, 0);
      } else if (held) {
        main.querySelector(`button[value="${CSS.escape(held)}"]`)?.focus();
      }
    }
    state.over = answer.over;
    tick();
  }

  async function fetched(address, options) {
    const ending = new AbortController();
    const timer = setTimeout(() => ending.abort(), 8000);
    try {
      const answer = await fetch(address, { cache: "no-store", signal: ending.signal, ...options });
      if (answer.status === 403) {
        location.reload();
        await pause(60);
      }
      if (!answer.ok) throw new Error(String(answer.status));
      return await answer.json();
    } finally {
      clearTimeout(timer);
    }
  }

  async function follow() {
    tick();
    while (!state.over) {
      try {
        show(await fetched(`changes?revision=${state.revision}`));
      } catch {
        state.lost ??= Date.now();
        await pause(1);
      }
    }
  }

  // A press names its step, so that sending it twice does nothing twice.
  async function press(form, button) {
    const fields = new URLSearchParams(new FormData(form));
    fields.set("choice", button.value);
    const word = button.textContent;
    mark(true);
    button.textContent = `${word} …`;
    for (;;) {
      try {
        show(await fetched("press", { method: "POST", body: fields, headers: { Accept: "application/json" } }));
        break;
      } catch {
        state.lost ??= Date.now();
        await pause(1);
      }
    }
    // It did not lead to another screen: it may be pressed again.
    button.textContent = word;
    mark(false);
  }

  function mark(sending) {
    state.sending = sending;
    for (const each of main.querySelectorAll("button")) each.setAttribute("aria-disabled", String(sending));
  }

  main.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!state.sending) press(event.target, event.submitter ?? event.target.querySelector("button"));
  });
  setInterval(tick, 1000);
  follow();
})();
