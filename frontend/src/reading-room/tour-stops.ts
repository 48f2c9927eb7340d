/** What the tour says of the reading room: of what this reader study asks, and of nothing else. */
import type { AskedCriterion, Reading } from "../api/reading";
import { hasTwo } from "./place";
import { asked, builtIn, voteQuestions } from "./questions";

export type TourPlace = "film" | "output" | "foot" | "top";

export interface Stop {
  readonly place: TourPlace;
  readonly title: string;
  readonly text: string;
}

/** What there is to explain: all at once, or what comes before the outputs are shown, and after it. */
export type TourPart = "whole" | "first-read" | "after-reveal";

const FILM =
  "Drag to window it, turn the wheel to zoom. V magnifies, M measures, O shows a lateral or a prior. If a film shows a name, H takes it out of use.";

const SAVING: Stop = {
  place: "top",
  title: "Nothing is lost",
  text: "Every key is saved at once, also without a network; the top bar says so. Ctrl Z takes anything back, Ctrl Y does it again.",
};

const WORDS: Stop = {
  place: "output",
  title: "What the output should have said",
  text: "E edits a step or the answer, T writes a note, N names a finding that was missed. Enter ends a text; D draws where the finding is. B shows all regions, Space hides them while it is held.",
};

const SIGNING: Stop = {
  place: "foot",
  title: "Sign, and on",
  text: "Ctrl Enter signs and shows the next case. What is still open is named beside the button. ? shows every key, moves keys to where you want them, and this tour again.",
};

const LOCKING: Stop = {
  place: "foot",
  title: "Lock it, and the outputs come",
  text: "Ctrl Enter locks your first read and shows the outputs. Then it stays as it is; Y adds that you changed your mind. The tour goes on there, with how steps are rated.",
};

export function stopsOf(part: TourPart, reading: Reading): readonly Stop[] {
  if (part === "first-read")
    return [{ place: "film", title: "The film", text: FILM }, firstRead(reading), SAVING, LOCKING];
  const rating = [steps(reading), WORDS, ...afterSteps(reading)];
  if (part === "after-reveal") return [...rating, SIGNING];
  const asksFirst = reading.first_read !== null || reading.skips_first_read;
  const text = joined(
    FILM,
    asksFirst && "Where a first read is asked, say what you see before the outputs are shown.",
  );
  return [{ place: "film", title: "The film", text }, ...rating, SAVING, SIGNING];
}

function firstRead({ first_read }: Reading): Stop {
  const asksFindings = first_read?.form === "findings";
  return {
    place: "output",
    title: "First, what you see yourself",
    text: joined(
      "What the model said is hidden until you have said what you see. The digits choose, J goes on:",
      asksFindings && "to a line of impression, which T writes, and then",
      "to how sure you are, 1 to 5. D draws where something is suspicious.",
    ),
  };
}

function steps(reading: Reading): Stop {
  const asksPoints = builtIn(reading, "plausibility") !== null;
  const asksRegions = builtIn(reading, "verdict") !== null;
  const own = [...asked(reading, "step"), ...asked(reading, "region")].filter(({ field }) => field === "");
  return {
    place: "output",
    title: "One step at a time",
    text: joined(
      asksPoints && "1 to 5 says how plausible the step is, U that it cannot be judged.",
      "Its region is drawn on the film",
      asksRegions ? ": F it fits, R redraw it (Enter: done), X it is wrong." : ".",
      own.length > 0 && `Digits answer what else is asked of it: ${namesOf(own)}.`,
      asksPoints || asksRegions || own.length > 0
        ? "When all is said, the next step has the focus by itself."
        : "Nothing is asked of it; J and K walk from one to the next.",
    ),
  };
}

/** None where nothing is asked of the answer and there is one output. */
function afterSteps(reading: Reading): Stop[] {
  const answer = asked(reading, "answer");
  const whole = asked(reading, "case").filter(({ finding }) => finding === "");
  const isOfTwo = hasTwo(reading);
  const titles = [
    answer.length > 0 && "the answer",
    isOfTwo && "two outputs",
    whole.length > 0 && "the case",
  ];
  const title = titles.filter((each) => each !== false).join(", and ");
  if (title === "") return [];
  const votes = voteQuestions(reading).map(({ criterion }) => criterion);
  const text = joined(
    answer.length > 0 &&
      `After the steps come the questions on the answer: ${namesOf(answer)}. ${howAnswered(answer)}`,
    isOfTwo && "With two outputs the focus goes over to B by itself",
    isOfTwo && (votes.length > 0 ? `, and then to the votes: ${namesOf(votes)}.` : "."),
    isOfTwo && "C puts both side by side.",
    whole.length > 0 && `At the end you are asked of the whole case: ${namesOf(whole)}.`,
  );
  // Votes stand beside the signature; all else is answered where it is read.
  const place = isOfTwo && votes.length > 0 ? "foot" : "output";
  return [{ place, title: `${title[0]?.toUpperCase()}${title.slice(1)}`, text }];
}

function namesOf(criteria: readonly AskedCriterion[]): string {
  return criteria.map(({ name }) => name).join(", ");
}

function howAnswered(criteria: readonly AskedCriterion[]): string {
  const isWritten = (criterion: AskedCriterion): boolean => criterion.kind === "text";
  return joined(!criteria.every(isWritten) && "Digits choose.", criteria.some(isWritten) && "T writes.");
}

/** The parts that are said, as sentences: a space before each but what goes on with a sign. */
function joined(...parts: readonly (string | false)[]): string {
  return parts
    .filter((part) => part !== false)
    .join(" ")
    .replace(/ (?=[:,.])/g, "");
}
