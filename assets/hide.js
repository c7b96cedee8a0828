/*
 * Takes a shown key out of the page: when the page is left or covered by
 * another tab, and when its time is over.  <div data-hide-after="60"> holds
 * the key; "0" means that the reader asked to keep it, and then it goes only
 * when the page is left.  Elements with data-hide-with go with it, those with
 * data-hide-show appear.  Without this script the style sheet covers the key
 * and the answer's Refresh header leads away.
 */
"use strict";
(() => {
	const box = document.querySelector("[data-hide-after]");
	if (!box)
		return;
	const seconds = Number(box.dataset.hideAfter);

	const hide = () => {
		box.replaceChildren();
		for (const part of document.querySelectorAll("[data-hide-with]"))
			part.remove();
		for (const part of document.querySelectorAll("[data-hide-show]"))
			part.hidden = false;
	};

	/* Also before the page enters the back-forward cache. */
	addEventListener("pagehide", hide);
	if (seconds === 0)
		return;
	setTimeout(hide, seconds * 1000);
	document.addEventListener("visibilitychange", () => {
		if (document.visibilityState === "hidden")
			hide();
	});
})();
