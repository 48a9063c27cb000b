// Passkeys: asks for a challenge, has the device answer it, and sends the answer as a form. Without this file, or where the browser cannot,
// these forms are not shown.
const { PublicKeyCredential, localStorage } = window;
const parse = {
  create: PublicKeyCredential?.parseCreationOptionsFromJSON,
  get: PublicKeyCredential?.parseRequestOptionsFromJSON,
};
// What the browser offers beside the user name waits until somebody presses the button.
const offer = new AbortController();

async function answer(form, how = {}) {
  const asked = await fetch(form.dataset.challenge, { method: "POST" });
  if (!asked.ok) throw new Error(`challenge: ${asked.status}`);
  const { ceremony, options } = await asked.json();
  const act = form.dataset.passkey;
  const publicKey = parse[act].call(PublicKeyCredential, options);
  const credential = await navigator.credentials[act]({ publicKey, ...how });
  form.elements.ceremony.value = ceremony;
  form.elements.credential.value = JSON.stringify(credential);
  localStorage.setItem("passkey", "known");
  form.submit();
}

function tell(form, error) {
  const why = { NotAllowedError: "cancelled", AbortError: "cancelled", InvalidStateError: "known" };
  const place = form.querySelector("[role=alert]");
  place.textContent = place.dataset[why[error.name] ?? "failed"];
}

for (const form of parse.create && parse.get ? document.querySelectorAll("form[data-passkey]") : []) {
  form.hidden = false;
  for (const missing of document.querySelectorAll("[data-passkey-missing]")) missing.hidden = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    offer.abort();
    const button = form.querySelector("button");
    button.disabled = true;
    form.querySelector("[role=alert]").textContent = "";
    try {
      await answer(form);
    } catch (error) {
      tell(form, error);
      button.disabled = false;
    }
  });
}

// Only where this browser has a passkey, others need no challenge, and not where that has just failed. An offer that nobody takes is no
// fault: the button is still there.
const username = document.querySelector("input[autocomplete~=webauthn]");
const offers = parse.get && username && localStorage.getItem("passkey") && !document.querySelector(".govuk-error-summary");
if (offers && (await PublicKeyCredential.isConditionalMediationAvailable?.())) {
  const form = document.querySelector("form[data-passkey=get]");
  answer(form, { mediation: "conditional", signal: offer.signal }).catch(() => {});
}
