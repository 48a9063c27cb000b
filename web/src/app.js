// Every page works without this file. With it, the summary of errors takes the focus and a button is not pressed twice, and
// what only leads on to a connected system does so by itself.
import { Button, ErrorSummary, PasswordInput, createAll } from "govuk-frontend";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
createAll(Button);
createAll(ErrorSummary);
createAll(PasswordInput);

document.querySelector("form[data-send-at-once]")?.requestSubmit();
