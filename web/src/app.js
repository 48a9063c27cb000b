// Every page works without this file. With it, the summary of errors takes the focus and a button is not pressed twice.
import { Button, ErrorSummary, createAll } from "govuk-frontend";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
createAll(Button);
createAll(ErrorSummary);
