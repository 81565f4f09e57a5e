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
  if (!calm) $$("video[data-play]").forEach(play);
  function preview(root) {
    if (calm || !matchMedia("(hover: hover)").matches) return;
    for (const video of $$("video[data-preview]", root)) {
      let ours = false;
      video.addEventListener("mouseenter", () => { if (video.paused) { ours = true; play(video); } });
      video.addEventListener("mouseleave", () => { if (ours) { ours = false; video.pause(); } });
      video.addEventListener("click", () => { ours = false; });
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
    try {
      const answer = await fetch("/progress");
      if (answer.status === 401) return location.reload();
      if (!answer.ok) throw new Error(answer.status);
      const found = await answer.json();
      pause = 1000;
      for (const order of pending()) {
        const state = found[order.dataset.order];
        if (!state || state.done !== Number(order.dataset.done)) await renew(order);
        else if ($(".remark", order)) $(".remark", order).textContent = state.remark;
      }
    } catch {
      pause = Math.min(pause * 2, 30000); // the server is away: ask less often
    }
    setTimeout(follow, pause);
  }
  async function renew(order) {
    const answer = await fetch(`/orders/${order.dataset.order}`);
    if (answer.status === 404) return order.remove();
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
    for (const part of [".state", ".actions"]) $(part, order).replaceWith($(part, now));
    Object.assign(order.dataset, now.dataset);
  }

  // The lightbox: arrow keys and swipes go on, Escape closes, a click or + and - zoom.
  let box, shown;
  function make() {
    box = document.createElement("dialog");
    box.setAttribute("aria-label", "Picture");
    box.innerHTML = `<div class="stage"><img alt=""></div><div class="bar"><p aria-live="polite"></p><div>
      <button data-do="back" aria-label="Previous picture">←</button><button data-do="on" aria-label="Next picture">→</button>
      <button data-do="zoom" aria-pressed="false">Zoom</button><button data-do="copy">Copy the prompt</button>
      <a class="button" data-do="details">Details</a><a class="button" data-do="download" download>Download</a>
      <button data-do="close">Close</button></div></div>`;
    document.body.append(box);
    const does = { back: () => go(-1), on: () => go(1), zoom, close: () => box.close(), copy: (button) => copy(shown.dataset.caption.replace(/^\w+ \d+: /, ""), button) };
    box.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) does[button.dataset.do]?.(button);
      else if (event.target.matches("img")) zoom();
      else if (event.target.matches(".stage")) box.close();
    });
    box.addEventListener("keydown", (event) => {
      const key = { ArrowLeft: () => go(-1), ArrowRight: () => go(1), "+": zoom, "-": zoom }[event.key];
      if (key && !event.target.closest(".zoomed")) { event.preventDefault(); key(); }
    });
    let from = null;
    const stage = $(".stage", box);
    stage.addEventListener("pointerdown", (event) => { from = event.pointerType === "mouse" ? null : event.clientX; });
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
    full.onload = () => { if (shown === link) { picture.src = full.src; picture.classList.remove("coming"); } };
    full.src = link.dataset.full;
    const about = document.createElement("small");
    about.textContent = link.dataset.about;
    $("p", box).replaceChildren(link.dataset.caption, about);
    $("[data-do=details]", box).href = link.href;
    $("[data-do=download]", box).href = `${link.dataset.full}?download=1`;
    if (!box.open) box.showModal();
  }
  function go(way) {
    const all = $$(".open");
    open(all[(all.indexOf(shown) + way + all.length) % all.length]);
  }
  function zoom() {
    const on = $(".stage", box).classList.toggle("zoomed");
    $("[data-do=zoom]", box).setAttribute("aria-pressed", String(on));
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.open");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(link);
  });

  // Copying, where the browser lets us.
  async function copy(text, button) {
    const said = button.textContent;
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
  if (selection) {
    const count = $(".count", selection);
    document.addEventListener("change", () => {
      const number = $$(".tile :checked").length;
      count.textContent = `${number} selected`;
    });
    selection.addEventListener("submit", (event) => {
      const number = $$(".tile :checked").length;
      if (event.submitter?.formAction.endsWith("/delete") && !confirm(`Delete ${number} for good?`)) event.preventDefault();
    });
  }

  preview(document);
  $$(".tile").forEach(arrive);
  follow();
})();
