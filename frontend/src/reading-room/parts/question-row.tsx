import type { AskedCriterion } from "../../api/reading";
import { itemOfQuestion } from "../disputes";
import { type Place, samePlace } from "../place";
import { answering, answerTo, digitOf, keyOf, type Question, toggled } from "../questions";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import type { Pointed } from "../scales";
import { EarlierAnswers, InDoubt, Standing } from "./earlier";
import { Item } from "./item";
import { type Choice, Segments } from "./segments";
import { TextField, WriteButton } from "./text-field";

const MOST_LETTERS = 2000;

type Tone = NonNullable<Choice<string>["tone"]>;

const TONES: Readonly<Record<string, Tone>> = { none: "good", mild: "warn", severe: "bad", both_bad: "bad" };

/** A question of the reader study with its answer: points, one choice, several, or words. */
export function QuestionRow(props: {
  readonly room: Room;
  readonly state: RoomState;
  readonly question: Question;
  readonly place: Place;
  /** What it is asked of, where the row alone does not say it. */
  readonly of?: string;
  /** Of several that it is asked of beside each other, which one. */
  readonly part?: string | undefined;
}) {
  const { room, state, question, place, part } = props;
  const { criterion } = question;
  const of = props.of ? `, ${props.of}` : "";
  return (
    <Item
      label={`${criterion.name}${of}`}
      class="row question-row"
      isCurrent={samePlace(state.place, place)}
      onEnter={() => room.goTo(place)}
    >
      <span class="row-label" title={criterion.question}>
        {criterion.name}
        {part && ` · ${part}`}
        {!criterion.is_required && <small class="quiet"> optional</small>}
      </span>
      {criterion.kind === "text" ? (
        <TextAnswer {...props} />
      ) : (
        <Segments
          name={keyOf(question)}
          title={titleOf(criterion, of)}
          choices={choicesOf(criterion)}
          value={answerTo(state.reading, question)}
          disabled={!room.canRate}
          isOfSeveral={criterion.kind === "choices"}
          onPoint={(choice) => room.walking.pointAt(choice && pointedIn(criterion, choice))}
          onChoose={(value) => {
            const { reading } = room.state;
            const isOne = criterion.kind !== "choices";
            const now = isOne ? value : toggled(answerTo(reading, question), value);
            room.change(answering(reading, question, now));
          }}
        />
      )}
      <Standing reading={state.reading} item={itemOfQuestion(question)} />
      <InDoubt criterion={criterion} />
      {criterion.finding === "" && <EarlierAnswers reading={state.reading} question={question} />}
    </Item>
  );
}

/** "Relevance, output A, 1 to 5: Does the answer speak to the question?" */
function titleOf({ name, kind, options, question }: AskedCriterion, of: string): string {
  const ends = kind === "scale" ? `, ${options[0]?.label} to ${options.at(-1)?.label}` : "";
  return `${name}${of}${ends}: ${question}`;
}

function choicesOf(criterion: AskedCriterion): Choice<string | number>[] {
  return criterion.options.flatMap(({ value, label, anchor }) => {
    if (Array.isArray(value)) return [];
    const digit = digitOf(criterion, value);
    const cap = digit === null || String(digit) === label ? null : String(digit);
    const tone = TONES[String(value)];
    return [{ value, label, cap, anchor, ...(tone && criterion.field ? { tone } : {}) }];
  });
}

/** What stands in the box of the scale while the pointer is on a value. */
export function pointedIn(
  { name, question }: Pick<AskedCriterion, "name" | "question">,
  { label, anchor = "" }: Choice<string | number>,
): Pointed | null {
  return anchor === "" ? null : { name, question, label: String(label), anchor };
}

function TextAnswer({ room, state, question, place }: Parameters<typeof QuestionRow>[0]) {
  const { criterion } = question;
  const writing = { field: "text", question } as const;
  const text = answerTo(state.reading, question);
  return (
    <>
      {room.canRate && (
        <WriteButton
          name={text ? "edit" : "write"}
          label={`${text ? "Edit" : "Write"}: ${criterion.name}`}
          shortcut="note"
          onClick={() => room.texts.start(writing, place)}
        />
      )}
      <TextField
        room={room}
        state={state}
        writing={writing}
        label={criterion.question || criterion.name}
        placeholder="No names, dates or numbers of patients."
        maxLength={MOST_LETTERS}
      />
      {text !== null && <span class="note">{String(text)}</span>}
    </>
  );
}
