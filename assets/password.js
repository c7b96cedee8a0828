/*
 * Show and hide a password: <button hidden data-reveal="ID"> belongs to the
 * password field with that id.  The field is hidden again before its form is
 * sent, so that browsers store it as a password.
 */
"use strict";
(() => {
	for (const button of document.querySelectorAll("[data-reveal]")) {
		const field = document.getElementById(button.dataset.reveal);
		const set = (shown) => {
			field.type = shown ? "text" : "password";
			button.setAttribute("aria-pressed", String(shown));
		};
		if (!field)
			continue;
		set(false);
		button.hidden = false;
		button.addEventListener("click", () => {
			set(field.type === "password");
			field.focus();
		});
		field.form.addEventListener("submit", () => set(false));
	}
})();
