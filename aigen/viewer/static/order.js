// What the order form gains with scripts: the time as it is understood, and how long it will take.
"use strict";
(() => {
  const form = document.getElementById("order");
  const draft = `draft ${form.getAttribute("action")}`;
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

  const preview = document.getElementById("preview");
  form.picture?.addEventListener("change", async () => {
    preview.hidden = true;
    const file = form.picture.files[0];
    const large = file && file.size > 20e6;
    form.picture.setCustomValidity(large ? "This file has more than 20 MB." : "");
    if (!file || large) return;
    try {
      const bitmap = await createImageBitmap(file), scale = Math.min(1, 480 / Math.max(bitmap.width, bitmap.height));
      [preview.width, preview.height] = [bitmap.width * scale, bitmap.height * scale];
      preview.getContext("2d").drawImage(bitmap, 0, 0, preview.width, preview.height);
      preview.hidden = false;
    } catch {
      // Whether it is a picture is for the server to say.
    }
  });

  // One click is one order; what was typed is kept should the session have ended.
  const send = form.querySelector("button:not([type])");
  form.addEventListener("submit", (event) => {
    if (send.disabled) return event.preventDefault();
    send.disabled = true;
    send.textContent = "Ordering …";
    sessionStorage.setItem(draft, form.prompt.value);
  });
  addEventListener("pageshow", () => { send.disabled = false; send.textContent = "Order"; });
  form.prompt.value ||= sessionStorage.getItem(draft) ?? "";
  form.querySelector("[aria-invalid]")?.focus();
})();
