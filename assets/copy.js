/*
 * Copy buttons: <button hidden data-copy="ID"> copies the text of the element
 * with that id and says so in the role=status element of the same row.  The
 * page hides the button; without this script people select the text instead.
 */
"use strict";
(() => {
	/* Where the clipboard is refused (plain http), the old way. */
	const copyBySelection = (source) => {
		const range = document.createRange();
		range.selectNodeContents(source);
		const selection = getSelection();
		selection.removeAllRanges();
		selection.addRange(range);
		return document.execCommand("copy");
	};
	const copy = async (source) => {
		try {
			await navigator.clipboard.writeText(
			    source.textContent.trim());
			return true;
		} catch {
			return copyBySelection(source);
		}
	};

	for (const button of document.querySelectorAll("[data-copy]")) {
		const source = document.getElementById(button.dataset.copy);
		const status = button.parentElement.querySelector(
		    "[role=status]");
		if (!source)
			continue;
		button.hidden = false;
		button.addEventListener("click", async () => {
			const said = await copy(source) ? "Copied" :
			    "Select the text and copy it by hand";
			/* Emptied first, so that the same words are said again. */
			status.textContent = "";
			requestAnimationFrame(() => {
				status.textContent = said;
			});
		});
	}
})();
