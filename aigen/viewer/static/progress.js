// Live progress on the dash: without this script the page reloads itself now and then.
"use strict";
(() => {
  const shown = new Map([...document.querySelectorAll(".progress")].map((box) => [box.dataset.order, box]));
  let pause = 1000;

  async function look() {
    let found;
    try {
      const answer = await fetch("/progress", { headers: { Accept: "application/json" } });
      if (answer.status === 403) return location.reload();
      if (!answer.ok) throw new Error(answer.status);
      found = await answer.json();
      pause = 1000;
    } catch {
      pause = Math.min(pause * 2, 30000); // the server is away: ask less often
      return setTimeout(look, pause);
    }
    for (const [order, box] of shown) {
      const state = found[order];
      if (!state) return location.reload(); // it has ended
      if (state.done !== Number(box.dataset.done) && !playing()) return location.reload(); // there is more to see
      box.querySelector("progress").value = state.done;
      box.querySelector(".done").textContent = `${state.done} of ${state.total}`;
      box.querySelector(".remark").textContent = state.remark;
    }
    setTimeout(look, pause);
  }

  function playing() {
    return [...document.querySelectorAll("video")].some((video) => !video.paused && !video.ended);
  }

  if (shown.size) setTimeout(look, pause);
})();
