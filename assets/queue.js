/*
 * The queue: keys that go from request to request, a whole key that was typed
 * into the search, and what came in meanwhile.  Without this script the page
 * has links and forms for all of it.
 */
"use strict";
(() => {
	const POLL_MS = 15 * 1000;
	/* An open page that nobody uses must not keep a session awake. */
	const IDLE_MS = 30 * 60 * 1000;
	const MEMORY = "latchkey-queue-keys";

	/* ---- a whole key belongs into the body of a form, not an address ---- */

	const search = document.getElementById("q");
	const key = document.getElementById("key");
	search.form.addEventListener("submit", (event) => {
		if (!/(?:[0-9a-f]\s*){32}/i.test(search.value))
			return;
		event.preventDefault();
		key.value = search.value;
		search.value = "";
		key.form.submit();
	});

	/* ---- single keys; they can be turned off (WCAG 2.1.4) ---- */

	const help = document.getElementById("shortcuts");
	const box = document.getElementById("shortcuts-on");
	const recall = () => {
		try {
			return localStorage.getItem(MEMORY) !== "off";
		} catch {
			return true;
		}
	};
	help.hidden = false;
	box.checked = recall();
	box.addEventListener("change", () => {
		try {
			localStorage.setItem(MEMORY, box.checked ? "on" : "off");
		} catch {
			/* For this page it holds in any case. */
		}
	});

	const links = [...document.querySelectorAll("#rows tbody th a")];
	const place = () => links.findIndex((link) =>
	    link.closest("tr").contains(document.activeElement));
	const go = (to) => {
		if (to >= 0 && to < links.length) {
			links[to].focus();
			links[to].closest("tr").scrollIntoView(
			    { block: "nearest" });
		}
	};
	const open = (part) => {
		const here = place();
		if (here >= 0)
			location.assign(links[here].href + part);
	};
	const deeds = {
		j: () => go(place() + 1),
		n: () => go(place() + 1),
		k: () => go(place() < 0 ? 0 : place() - 1),
		p: () => go(place() < 0 ? 0 : place() - 1),
		a: () => open("#approve"),
		r: () => open("#reject_reason"),
	};
	const types = (element) => element.isContentEditable ||
	    ["TEXTAREA", "SELECT"].includes(element.tagName) ||
	    (element.tagName === "INPUT" && element.type !== "checkbox");
	document.addEventListener("keydown", (event) => {
		const deed = deeds[event.key];
		if (!deed || !box.checked || event.ctrlKey || event.altKey ||
		    event.metaKey || event.isComposing || types(event.target))
			return;
		event.preventDefault();
		deed();
	});

	/* ---- what came in: told of, and shown when the reader asks ---- */

	const news = document.getElementById("news");
	const query = news.dataset.news;
	let used = Date.now();
	let told = 0;
	const tell = (count) => {
		if (count <= told)
			return;
		told = count;
		const link = document.createElement("a");
		link.className = "btn btn-main btn-s";
		link.href = location.pathname + location.search;
		link.textContent = (count === 1 ? "1 new request" :
		    (count >= 100 ? "100 or more" : count) +
		    " new requests") + ": show";
		news.replaceChildren(link);
	};
	const ask = async () => {
		if (document.visibilityState !== "visible" ||
		    Date.now() - used > IDLE_MS)
			return;
		try {
			const answer = await fetch("/staff/queue/news?" + query,
			    { redirect: "error" });
			if (answer.ok)
				tell((await answer.json()).count);
		} catch {
			/* Next time, or when the page is loaded again. */
		}
	};
	if (!query)
		return;
	for (const kind of ["keydown", "pointerdown", "pointermove", "scroll"])
		addEventListener(kind, () => { used = Date.now(); },
		    { passive: true });
	document.addEventListener("visibilitychange", ask);
	setInterval(ask, POLL_MS);
})();
