// What the gallery gains with scripts: live progress, previews, a lightbox, copying. Every page works without.
"use strict";
(() => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Videos: the one on the landing page plays; those in the gallery while one points at them.
  function play(video) {
    const playing = video.play();
    if (playing) playing.catch(() => {}); // the browser does not want to, or it was stopped at once
  }
  for (const video of $$("video[data-play]")) {
    video.controls = true; // so that it can be stopped
    if (!calm) play(video);
  }
  function preview(root) {
    if (calm || !matchMedia("(hover: hover)").matches) return;
    for (const video of $$("video[data-preview]", root)) {
      let ours = false;
      video.addEventListener("mouseenter", () => { if (video.paused) { ours = true; play(video); } });
      video.addEventListener("mouseleave", () => { if (ours) { ours = false; video.pause(); } });
      // Who clicks on a preview wants to go on watching, not to stop it.
      video.addEventListener("click", () => {
        if (!ours) return;
        ours = false;
        setTimeout(() => { if (video.paused) play(video); });
      }, true);
    }
  }

  // Pictures come out of a blur when they are there.
  function arrive(figure) {
    const picture = $("img", figure);
    if (!picture || calm || picture.complete) return;
    picture.classList.add("arriving");
    const there = () => picture.classList.remove("arriving");
    picture.addEventListener("load", there, { once: true });
    picture.addEventListener("error", there, { once: true });
  }

  // Progress: the server is asked which orders are being made, and for one that has changed how it looks now.
  const pending = () => $$(".order[data-status=Processing]");
  let pause = 1000;
  async function follow() {
    if (!pending().length) return;
    if (document.hidden) return document.addEventListener("visibilitychange", follow, { once: true });
    try {
      const answer = await fetch("/progress");
      if (answer.status === 401) return location.reload();
      if (!answer.ok) throw new Error(answer.status);
      const found = await answer.json();
      pause = 1000;
      for (const order of pending()) {
        const state = found[order.dataset.order];
        if (!state || state.done !== Number(order.dataset.done)) await renew(order);
        else tellState(order, state);
      }
    } catch {
      pause = Math.min(pause * 2, 30000); // the server is away: ask less often
    }
    setTimeout(follow, pause);
  }
  function tellState(order, state) {
    if (!$(".remark", order)) return;
    $(".remark", order).textContent = state.remark;
    $(".done", order).textContent = `${state.done} of ${state.total}`;
    $("progress", order).value = state.done;
  }
  async function renew(order) {
    const answer = await fetch(`/orders/${order.dataset.order}`);
    if (answer.status === 404) { order.remove(); return tally(); }
    if (!answer.ok) throw new Error(answer.status);
    const now = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".order");
    for (const grid of $$(".grid", order)) {
      for (const [place, figure] of $$(`.grid[data-kind=${grid.dataset.kind}] > .tile`, now).entries()) {
        if (document.getElementById(figure.id)) continue; // what is there already may be playing
        grid.insertBefore(figure, grid.children[place] || null);
        arrive(figure);
        preview(figure);
      }
    }
    const goes_on = now.dataset.status === "Processing";
    if (goes_on) tellState(order, { done: $("progress", now).value, total: $("progress", now).max, remark: $(".remark", now).textContent });
    for (const part of goes_on ? [".cost", ".actions"] : [".cost", ".state", ".actions"]) replace($(part, order), $(part, now));
    Object.assign(order.dataset, now.dataset);
    if (!goes_on) $("#said").textContent = `${now.dataset.status}: ${$("h2", now).textContent}`;
  }
  // Put a part in another's place, unless it says the same; focus and an opened "Delete" stay.
  function replace(was, is) {
    const text = (part) => part.textContent.replace(/\s+/g, " ");
    if (text(was) === text(is)) return;
    const held = was.contains(document.activeElement) && document.activeElement.textContent;
    const open = $("details", was)?.open;
    was.replaceWith(is);
    if (open && $("details", is)) $("details", is).open = true;
    const places = $$("a, button, summary", is);
    if (held) (places.find((place) => place.textContent === held) ?? places[0])?.focus();
  }

  // The lightbox: arrow keys and swipes go on, Escape closes, a click or + and - zoom.
  let box, shown;
  function make() {
    box = document.createElement("dialog");
    box.setAttribute("aria-label", "Picture");
    box.innerHTML = `<div class="stage"><img alt=""></div><div class="bar"><p aria-live="polite" tabindex="0"></p><div>
      <button data-do="back" aria-label="Previous picture">←</button><button data-do="on" aria-label="Next picture">→</button>
      <button data-do="zoom" aria-pressed="false">Zoom</button><button data-do="copy">Copy the prompt</button>
      <a class="button" data-do="details">Details</a><a class="button" data-do="download" download>Download</a>
      <button data-do="close">Close</button></div></div>`;
    document.body.append(box);
    $("[data-do=copy]", box).hidden = !navigator.clipboard;
    const does = { back: () => go(-1), on: () => go(1), zoom, close: () => box.close(), copy: (button) => copy(shown.dataset.prompt, button) };
    box.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) does[button.dataset.do]?.(button);
      else if (event.target.matches("img")) zoom();
      else if (event.target.matches(".stage")) box.close();
    });
    box.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-80, 0], ArrowRight: [80, 0], ArrowUp: [0, -80], ArrowDown: [0, 80] }[event.key];
      const key = { ArrowLeft: () => go(-1), ArrowRight: () => go(1), "+": () => zoomed() || zoom(), "-": () => zoomed() && zoom() }[event.key];
      if (way && zoomed()) { event.preventDefault(); stage.scrollBy(...way); }
      else if (key) { event.preventDefault(); key(); }
    });
    let from = null;
    const stage = $(".stage", box);
    stage.addEventListener("pointerdown", (event) => {
      from = event.pointerType === "mouse" || !event.isPrimary || visualViewport.scale > 1 ? null : event.clientX;
    });
    stage.addEventListener("pointerup", (event) => {
      const way = from === null ? 0 : event.clientX - from;
      if (Math.abs(way) > 50 && !stage.classList.contains("zoomed")) go(way < 0 ? 1 : -1);
      from = null;
    });
    box.addEventListener("close", () => shown?.focus());
  }
  function open(link) {
    if (!box) make();
    shown = link;
    const picture = $("img", box), small = $("img", link), full = new Image();
    $(".stage", box).classList.remove("zoomed");
    $("[data-do=zoom]", box).setAttribute("aria-pressed", "false");
    picture.src = small.currentSrc || small.src;
    picture.width = small.width && Number(small.getAttribute("width"));
    picture.height = Number(small.getAttribute("height"));
    picture.alt = small.alt;
    picture.classList.add("coming");
    const about = document.createElement("small");
    about.textContent = link.dataset.about;
    full.onerror = () => {
      if (shown !== link) return;
      picture.classList.remove("coming");
      about.textContent = "The full picture could not be loaded.";
    };
    full.onload = () => { if (shown === link) { picture.src = full.src; picture.classList.remove("coming"); } };
    full.src = link.dataset.full;
    $("p", box).replaceChildren(link.dataset.caption, about);
    $("[data-do=details]", box).href = link.href;
    $("[data-do=download]", box).href = `${link.dataset.full}?download=1`;
    if (!box.open) box.showModal();
  }
  function go(way) {
    const all = $$(".open"), at = all.indexOf(shown);
    if (!all.length) return box.close(); // they were deleted meanwhile
    open(all[at < 0 ? 0 : (at + way + all.length) % all.length]);
  }
  function zoomed() {
    return $(".stage", box).classList.contains("zoomed");
  }
  function zoom() {
    const on = $(".stage", box).classList.toggle("zoomed");
    $("[data-do=zoom]", box).setAttribute("aria-pressed", String(on));
    const stage = $(".stage", box);
    if (on) stage.scrollTo((stage.scrollWidth - stage.clientWidth) / 2, (stage.scrollHeight - stage.clientHeight) / 2);
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.open");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(link);
  });

  // Copying, where the browser lets us.
  async function copy(text, button) {
    const said = (button.dataset.said ??= button.textContent);
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => { button.textContent = said; }, 1500);
  }
  for (const button of $$("[data-copy]")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", () => copy(button.dataset.copy, button));
  }

  // How many are selected; and a question before they are deleted.
  const selection = $("#selection");
  function tally() {
    if (selection) $(".count", selection).textContent = `${$$(".tile :checked").length} selected`;
  }
  if (selection) {
    document.addEventListener("change", tally);
    addEventListener("pageshow", tally);
    selection.addEventListener("submit", (event) => {
      const number = $$(".tile :checked").length;
      if (event.submitter?.formAction.endsWith("/delete") && !confirm(`Delete ${number} for good?`)) event.preventDefault();
    });
  }

  // One click is one order here too.
  document.addEventListener("submit", (event) => {
    if (event.target === selection || event.defaultPrevented) return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => { for (const form of $$("[data-sent]")) delete form.dataset.sent; });
  if (location.pathname === "/dash") {
    for (const form of ["/text-to-video", "/image-to-video"]) sessionStorage.removeItem(`draft ${form}`); // it was ordered
  }

  preview(document);
  $$(".tile").forEach(arrive);
  follow();
})();
