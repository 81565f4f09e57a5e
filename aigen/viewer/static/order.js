// What the order form gains with scripts: the time as it is understood, and how long it will take.
"use strict";
(() => {
  const form = document.getElementById("order");
  const estimate = document.getElementById("estimate"), told = document.getElementById("resolved"), usual = told.textContent;

  function spoken(seconds) {
    const rounded = Math.max(1, Math.round(seconds)), minutes = Math.floor(rounded / 60);
    if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
    return minutes ? `${minutes} min ${rounded % 60} s` : `${rounded} s`;
  }
  function reckon() {
    const pace = form.querySelector("[name=model]:checked").dataset;
    const seconds = Number(pace.image) * Number(form.images.value) + Number(pace.video) * Number(form.videos.value);
    estimate.textContent = seconds > 0 ? `It takes about ${spoken(seconds)}, as it lately was.` : "";
  }
  form.images.addEventListener("input", reckon);
  form.videos.addEventListener("input", reckon);
  for (const model of form.model) model.addEventListener("input", reckon);

  let waiting, asked = 0;
  form.notify_at.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(resolve, 250);
  });
  async function resolve() {
    const number = ++asked, when = form.notify_at.value.trim();
    if (!when) { told.textContent = usual; return; }
    try {
      const answer = await (await fetch(`/resolve?when=${encodeURIComponent(when)}`)).json();
      if (number === asked) told.textContent = answer.told ? `That is ${answer.told}.` : usual;
    } catch {
      told.textContent = usual;
    }
  }

  // One click is one order; what was typed is kept should the session have ended.
  const send = form.querySelector("button:not([type])");
  form.addEventListener("submit", (event) => {
    if (send.disabled) return event.preventDefault();
    send.disabled = true;
    send.textContent = "Ordering …";
    sessionStorage.draft = form.prompt.value;
  });
  addEventListener("pageshow", () => { send.disabled = false; send.textContent = "Order"; });
  form.prompt.value ||= sessionStorage.draft ?? "";
  form.querySelector("[aria-invalid]")?.focus();
})();
