/** What every page loads: the style sheets, live fragments by htmx, and uploads. */
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/parts.css";
import "./styles/forms.css";
import "./styles/film.css";
import "./styles/learning.css";
import "./styles/results.css";
import "./styles/reader-studies.css";
import htmx from "htmx.org";
import { keepOpen } from "./kept-open";
import { mindsWhatWaits } from "./logging-out";
import { keepWhatIsTyped, leadOnlyWhereItAnswers, minded, quietWhereCalledOff } from "./manners";
import { showInOwnZone } from "./moments";
import { enhanceTicks } from "./ticks";
import { enhanceUploads } from "./upload/upload";
import { tellWaiting } from "./waiting";

// The content security policy allows neither a style element nor eval.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
// Nor a style attribute: settling would copy the one that a resized text field has.
htmx.config.attributesToSettle = ["class", "width", "height"];
htmx.config.allowScriptTags = false;
htmx.config.selfRequestsOnly = true;

enhanceUploads(document);
enhanceTicks(document);
keepOpen(document);
tellWaiting(document);

mindsWhatWaits(document);
minded(document);
keepWhatIsTyped(document);
quietWhereCalledOff(document, htmx);
leadOnlyWhereItAnswers(document);
showInOwnZone(document);
document.addEventListener("htmx:afterSwap", () => showInOwnZone(document));
