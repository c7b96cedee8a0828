/*
 * Passkeys: <form hidden data-passkey="get|create" data-challenge data-rp> is
 * shown where the browser knows them; sent, it asks the authenticator, puts
 * the answer into its hidden fields and goes on its way.
 */
"use strict";
(() => {
	const bytes = (text) => Uint8Array.from(
	    atob(text.replace(/-/g, "+").replace(/_/g, "/")),
	    (c) => c.charCodeAt(0));
	const text = (buffer) => btoa(
	    String.fromCharCode(...new Uint8Array(buffer)))
	    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
	const get = async (form) => {
		const { rawId, response } = await navigator.credentials.get({
			publicKey: {
				challenge: bytes(form.dataset.challenge),
				rpId: form.dataset.rp,
				userVerification: "required",
			},
		});
		form.elements.credential.value = text(rawId);
		form.elements.client_data.value = text(response.clientDataJSON);
		form.elements.authenticator_data.value =
		    text(response.authenticatorData);
		form.elements.signature.value = text(response.signature);
	};
	const create = async (form) => {
		const { response } = await navigator.credentials.create({
			publicKey: {
				challenge: bytes(form.dataset.challenge),
				rp: { id: form.dataset.rp,
				    name: form.dataset.site },
				user: {
					id: new TextEncoder().encode(
					    form.dataset.user),
					name: form.dataset.email,
					displayName: form.dataset.email,
				},
				pubKeyCredParams: [
					{ type: "public-key", alg: -7 },
					{ type: "public-key", alg: -257 },
				],
				authenticatorSelection: {
					residentKey: "required",
					requireResidentKey: true,
					userVerification: "required",
				},
				attestation: "none",
			},
		});
		form.elements.client_data.value = text(response.clientDataJSON);
		form.elements.attestation.value =
		    text(response.attestationObject);
	};

	if (!window.PublicKeyCredential)
		return;
	for (const form of document.querySelectorAll("form[data-passkey]")) {
		const status = form.querySelector("[role=status]");
		form.hidden = false;
		form.addEventListener("submit", async (event) => {
			event.preventDefault();
			status.textContent = "";
			try {
				await (form.dataset.passkey === "get" ?
				    get(form) : create(form));
			} catch {
				status.textContent = "The browser gave no " +
				    "passkey. Try again, or take another way.";
				return;
			}
			form.submit();
		});
	}
})();
