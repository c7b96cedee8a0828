/*
 * Checks the name of a subscription while it is typed, by the server's rules
 * (CLIENT NAME-KEY).  The server decides; this only spares a round trip.
 * <input data-name-check="ID"> speaks in the role=status element of that id.
 */
"use strict";
(() => {
	const CLIENT_MIN = 2;		/* characters of the client's name */
	const CLIENT_MAX = 64;
	const SIGNS = /[^\p{L}\p{M}\p{Nd} &.'-]/u;
	const WORD = /[\p{L}\p{Nd}]/u;
	const END = "-KEY";

	/* What is wrong, in a sentence; "" when nothing is. */
	const complaint = (typed) => {
		const name = typed.normalize("NFC").replace(/\s+/gu, " ").trim();
		if (!name.endsWith(END))
			return name.toUpperCase().endsWith(END) ?
			    "The end must be -KEY, in capital letters." :
			    "The name must end in -KEY.";
		const client = name.slice(0, -END.length);
		const length = [...client].length;
		if (length < CLIENT_MIN)
			return "Your company’s name must stand before -KEY.";
		if (length > CLIENT_MAX)
			return `The part before -KEY has ${length} characters; ` +
			    `${CLIENT_MAX} is the most.`;
		const sign = client.match(SIGNS);
		if (sign)
			return `“${sign[0]}” can’t be part of the name. Letters, ` +
			    "digits, spaces, & . ' and - can.";
		if (client !== client.trim())
			return "No space before -KEY.";
		if (!WORD.test(client))
			return "A letter or digit must stand before -KEY.";
		return "";
	};

	for (const field of document.querySelectorAll("[data-name-check]")) {
		const status = document.getElementById(field.dataset.nameCheck);
		let timer = 0;
		const check = () => {
			const wrong = complaint(field.value);
			status.textContent = wrong || "This name fits.";
			status.classList.toggle("is-bad", wrong !== "");
			status.classList.toggle("is-good", wrong === "");
		};
		field.addEventListener("input", () => {
			/* 600 ms: nobody is corrected in the middle of a word. */
			clearTimeout(timer);
			timer = setTimeout(check, 600);
		});
		field.addEventListener("blur", () => {
			clearTimeout(timer);
			if (field.value !== field.defaultValue)
				check();
		});
	}
})();
