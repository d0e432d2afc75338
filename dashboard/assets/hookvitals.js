/* What the browser does by itself: scope in the address, freshness, colour scheme, session end, keys.
   It fetches nothing and renders no data; text it writes is set as text. */
(function () {
  "use strict";

  const PLACES = ["", "events", "alerts", "rules", "silences", "issues", "dead-letters", "replays", "reports", "status"];
  const KEYS = { o: "", e: "events", a: "alerts", u: "rules", m: "silences", i: "issues", d: "dead-letters", p: "replays", r: "reports", s: "status" };
  const DEFAULTS = { environment: "production", range: "1h" };
  const SILENT_S = 25; // two missed refreshes
  const root = document.documentElement;

  // --- colour scheme: known before the first paint, and told to the server, which draws the charts
  function scheme() {
    let wanted = "auto";
    try { wanted = localStorage.getItem("mantine-color-scheme-value") || "auto"; } catch (e) { /* no storage */ }
    if (wanted !== "auto") return wanted;
    return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  function rememberScheme(value) {
    const secure = location.protocol === "https:" ? ";secure" : "";
    document.cookie = "hookvitals_scheme=" + value + ";path=/;max-age=31536000;samesite=lax" + secure;
  }
  root.setAttribute("data-mantine-color-scheme", scheme());
  rememberScheme(scheme());
  new MutationObserver(function () {
    const value = root.getAttribute("data-mantine-color-scheme");
    if (document.cookie.includes("hookvitals_scheme=" + value)) return;
    rememberScheme(value);
    refreshPage();
  }).observe(root, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });

  function currentPage() {
    const page = document.querySelector("[data-page]");
    return page ? page.dataset.page : null;
  }
  function refreshPage() {
    const page = currentPage();
    if (page) window.dash_clientside.set_props(page + "-tick", { n_intervals: Date.now() });
  }

  // --- session: a callback refused with 401 means it has ended; a frozen page would look alive
  const plainFetch = window.fetch;
  window.fetch = async function (...args) {
    const answer = await plainFetch.apply(this, args);
    if (answer.status === 401) {
      location.assign(base() + "login?next=" + encodeURIComponent(inner(location.pathname) + location.search));
    }
    return answer;
  };
  function config() {
    const node = document.getElementById("_dash-config");
    return node ? JSON.parse(node.textContent) : {};
  }
  function base() { return config().requests_pathname_prefix || "/"; }
  function inner(path) { return "/" + path.slice(base().length); }

  // --- freshness: how long ago what is on the page came from the server
  let seen = "", seenAt = performance.now();
  setInterval(function () {
    const badge = document.getElementById("freshness");
    if (!badge) return;
    const stamp = Array.from(document.querySelectorAll(".as-of"), (node) => node.textContent).join();
    if (stamp !== seen) { seen = stamp; seenAt = performance.now(); }
    const age = Math.round((performance.now() - seenAt) / 1000);
    const stale = age > SILENT_S;
    badge.classList.toggle("freshness-stale", stale);
    badge.textContent = !seen ? "Loading" : stale ? "Stale, " + spoken(age) : age < 2 ? "Live" : "Live, " + spoken(age);
  }, 1000);

  // --- what fires shows in the tab, too: the page may lie behind others
  setInterval(function () {
    const firing = document.querySelector("#count-alerts .bubble");
    const plain = document.title.replace(/^\([^)]*\) /, "");
    const title = firing ? "(" + firing.textContent + ") " + plain : plain;
    if (document.title !== title) document.title = title;
  }, 1000);
  function spoken(s) { return s < 120 ? s + " s ago" : Math.round(s / 60) + " min ago"; }

  // --- scope: environment and range stand in the address; every link in the navigation carries them along
  function syncScope(search, pathname, environment, range) {
    const dash = window.dash_clientside;
    const asked = new Set(dash.callback_context.triggered.map((t) => t.prop_id));
    const params = new URLSearchParams(search || "");
    const chosen = { environment: environment, range: range };
    const byHand = asked.has("environment.value") || asked.has("range.value");
    for (const name of ["environment", "range"]) {
      if (byHand) {
        if (chosen[name] === DEFAULTS[name]) params.delete(name); else params.set(name, chosen[name]);
      } else {
        chosen[name] = params.get(name) || DEFAULTS[name];
      }
    }
    const text = params.toString() ? "?" + params.toString() : "";
    const along = new URLSearchParams();
    for (const name of ["environment", "range"]) {
      if (chosen[name] !== DEFAULTS[name]) along.set(name, chosen[name]);
    }
    const tail = along.toString() ? "?" + along.toString() : "";
    const here = inner(pathname || "/").slice(1);
    const links = PLACES.flatMap((place) => [
      base() + place + tail,
      place === "" ? here === "" || /^(endpoints|checklists)\//.test(here) : here === place || here.startsWith(place + "/"),
    ]);
    return [byHand && text !== (search || "") ? text : dash.no_update, chosen.environment, chosen.range, ...links];
  }

  function toggleNavigation(opened, navbar) {
    return Object.assign({}, navbar, { collapsed: { mobile: !opened } });
  }
  function closeNavigation() { return false; }

  // --- filters: what a page's form says becomes the address, and with it the page
  function writeFilters() {
    const values = Array.from(arguments);
    const names = values.pop();
    const params = new URLSearchParams(location.search);
    names.forEach(function ([name, plain], i) {
      const value = Array.isArray(values[i]) ? values[i].join(",") : values[i];
      if (value && value !== plain) params.set(name, value); else params.delete(name);
    });
    const text = params.toString() ? "?" + params.toString() : "";
    const before = new URLSearchParams(location.search).toString();  // however it was encoded
    return params.toString() === before ? window.dash_clientside.no_update : text;
  }

  // --- the events table: start again from the newest record
  function showNewest() {
    const api = window.dash_ag_grid.getApi("events-grid");
    api.ensureIndexVisible(0, "top");
    api.purgeInfiniteCache();
    return "none";
  }

  function isBlank(text) { return !(text || "").trim(); }

  // --- a report is a document of its own in a frame without scripts: as high as what it holds
  document.addEventListener("load", function (event) {
    const frame = event.target;
    if (!(frame instanceof HTMLIFrameElement) || !frame.classList.contains("report-frame")) return;
    const page = frame.contentDocument && frame.contentDocument.documentElement;
    if (!page) return;
    frame.style.height = "0";  // a document is never lower than its frame
    frame.style.height = page.scrollHeight + 8 + "px";
  }, true);

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    hookvitals: { syncScope, toggleNavigation, closeNavigation, writeFilters, showNewest, isBlank },
  });

  // --- keys
  let leading = 0;
  function typing(target) {
    return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  }
  function follow(place) {
    const link = document.querySelector('.nav-link[href^="' + base() + place + '"]');
    if (link) link.click();
  }
  function visit(href) {
    history.pushState({}, "", href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (event.key === "Enter" && event.target.id === "lookup") {
      event.preventDefault();
      window.dash_clientside.set_props("lookup-asked", { data: { text: event.target.value, at: Date.now() } });
      return;
    }
    if (typing(event.target)) return;
    if (event.key === "?") {
      window.dash_clientside.set_props("help", { opened: true });
    } else if (event.key === "/") {
      event.preventDefault();
      const field = document.getElementById("lookup");
      if (field) field.focus(); else follow("events");
    } else if (event.key === "g") {
      leading = Date.now();
      return;
    } else if (Date.now() - leading < 1200 && event.key in KEYS) {
      follow(KEYS[event.key]);
    }
    leading = 0;
  });
  window.hookvitalsVisit = visit;
})();
