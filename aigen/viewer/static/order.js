// What the order form gains with scripts: the time as it is understood, and what the order takes and costs.
"use strict";
(() => {
  const form = document.getElementById("order");
  const draft = `draft ${form.getAttribute("action")}`;
  const estimate = document.getElementById("estimate"), told = document.getElementById("resolved"), usual = told.textContent;

  let pausing, estimates = 0;
  form.addEventListener("input", (event) => {
    if (event.target === form.notify_at || event.target === form.picture) return;
    clearTimeout(pausing);
    pausing = setTimeout(reckon, 250);
  });
  async function reckon() {
    const number = ++estimates, typed = new FormData(form);
    typed.delete("picture");
    try {
      const answer = await fetch(`${form.getAttribute("action")}/estimate`, { method: "POST", body: new URLSearchParams(typed) });
      const found = answer.ok ? await answer.json() : { text: "" };
      if (number !== estimates) return;
      estimate.textContent = found.text;
      form.agreed.value = found.price || 0;
      estimate.classList.toggle("warn", Boolean(found.refused));
    } catch {
      if (number === estimates) estimate.textContent = "";
    }
  }

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
