import { Fragment } from "preact";
import type { AskedCriterion, Region, Side, Step } from "../../api/reading";
import { annotation, cannotJudge, ratePlausibility, stepRating } from "../changes";
import { plausibilityOf, verdictOn } from "../disputes";
import { earlierOnStep } from "../earlier";
import { asksOfSteps, stepPlace } from "../place";
import { builtIn } from "../questions";
import { itemsOf, labelOf, partsOf, pointsNowhere } from "../region-items";
import type { Room } from "../room";
import type { RoomState } from "../room-state";
import { CANNOT_JUDGE } from "../scales";
import { colourOf, twinName, twinOf } from "../twins";
import { Earlier, Standing } from "./earlier";
import { Item } from "./item";
import { OwnQuestions } from "./own-questions";
import { OwnRegions } from "./own-regions";
import { pointedIn } from "./question-row";
import { RegionFields } from "./region-fields";
import { type Choice, FIVE, Segments } from "./segments";
import { StepTexts, StepTools, Worded } from "./step-texts";
import { TwinChip } from "./twin-chip";

const PROBLEMS: Record<string, string> = {
  outside_image: "region reaches outside the image",
  no_area: "region has no area",
  inverted: "region has its corners swapped",
  whole_image: "region is the whole image",
};

/** Beside 1 to 5 in the same group of radio buttons, since it stands in their place. */
const NOT_JUDGED = 0;
const PLAUSIBILITY: readonly Choice<number>[] = [
  ...FIVE,
  { value: NOT_JUDGED, ...CANNOT_JUDGE, name: "Cannot judge" },
];

const VERDICTS: readonly Choice<"fits" | "adjusted" | "wrong">[] = [
  { value: "fits", label: "fits", tone: "good" },
  { value: "adjusted", label: "redrawn", tone: "warn" },
  { value: "wrong", label: "wrong", tone: "bad" },
];

/** Signs of a step that stand on the page without a scroll bar of their own. */
const LONGEST_WHOLE = 3000;

interface Props {
  readonly room: Room;
  readonly state: RoomState;
  readonly side: Side;
  readonly step: Step;
}

export function StepCard({ room, state, side, step }: Props) {
  const { reading, place } = state;
  const rating = stepRating(reading, step.uid);
  const isCurrent = place.kind === "step" && place.step === step.uid;
  const plausibility = builtIn(reading, "plausibility");
  const verdict = builtIn(reading, "verdict");
  const items = itemsOf(reading, step);
  const inHand = place.kind === "step" && isCurrent ? place.region : null;
  const redrawn = items.find(
    ({ uid, region }) => uid === inHand && region !== null && room.canRate && room.regions.isOpen(uid),
  );
  // A model that repeats itself: what is rated below stays within reach.
  const isEndless = step.text.length > LONGEST_WHOLE;
  const chips = [
    ...(pointsNowhere(step) ? ["no region"] : []),
    ...step.regions.flatMap((region) => (region.problem ? [PROBLEMS[region.problem] ?? region.problem] : [])),
  ];
  return (
    <Item
      label={`Step ${step.position}${reading.completions.length > 1 ? ` of output ${side.toUpperCase()}` : ""}`}
      isCurrent={isCurrent}
      class={`step s${colourOf(reading, step)}${side === "b" ? " dashed" : ""}`}
      onEnter={() => room.goTo(stepPlace(side, step))}
      onHover={(isOver) => room.walking.hover(isOver ? step.uid : null)}
    >
      <p {...(isEndless ? { class: "step-text endless", tabIndex: 0 } : { class: "step-text" })}>
        <span class="number">{step.position}</span>
        <Worded parts={partsOf(step)} />{" "}
        {chips.map((chip) => (
          <Fragment key={chip}>
            <span class="chip warn">{chip}</span>{" "}
          </Fragment>
        ))}
        <StepTwin room={room} state={state} side={side} step={step} />
      </p>
      <div class="row">
        {plausibility && (
          <span class="with-label">
            <span class="row-label">Plausible</span>
            <Segments
              name={`plausibility-${step.uid}`}
              title={`How plausible is step ${step.position}, 1 to 5?`}
              choices={anchored(PLAUSIBILITY, plausibility)}
              value={rating.cannot_judge ? NOT_JUDGED : rating.plausibility}
              disabled={!room.canRate}
              onPoint={(choice) => room.walking.pointAt(choice && pointedIn(plausibility, choice))}
              onChoose={(points) =>
                room.change(
                  points === NOT_JUDGED
                    ? cannotJudge(state.reading, step.uid)
                    : ratePlausibility(state.reading, step.uid, points),
                )
              }
            />
            <Standing reading={reading} item={plausibilityOf(step.uid)} />
          </span>
        )}
        {verdict &&
          step.regions.map((region) => (
            <RegionRow
              key={region.uid}
              room={room}
              state={state}
              side={side}
              step={step}
              region={region}
              criterion={verdict}
            />
          ))}
      </div>
      {redrawn && <RegionFields room={room} state={state} item={redrawn} />}
      <OwnRegions
        room={room}
        state={state}
        owner={{ kind: "step", uid: step.uid }}
        items={items.filter(({ region }) => region === null)}
        focused={inHand}
        onFocus={(uid) => room.goTo(stepPlace(side, step, uid))}
      />
      <Earlier words={earlierOnStep(reading, step)} />
      <StepTexts room={room} state={state} side={side} step={step} />
      <OwnQuestions room={room} state={state} side={side} step={step} />
      <StepTools room={room} state={state} side={side} step={step} />
    </Item>
  );
}

/** The other output says the same: the colour alone would not tell. */
function StepTwin({ room, state, side, step }: Props) {
  const twin = twinOf(state.reading, step);
  if (twin === null) return null;
  return (
    <TwinChip
      side={side}
      position={twin.position}
      name={twinName(side, twin)}
      canRate={room.canRate && asksOfSteps(state.reading, step)}
      onRate={() => room.rateAsTwin(side, step)}
    />
  );
}

function RegionRow(props: Props & { readonly region: Region; readonly criterion: AskedCriterion }) {
  const { room, state, side, step, region, criterion } = props;
  const { place, reading } = state;
  const isFocused = place.kind === "step" && place.region === region.uid;
  const label = labelOf(step, region);
  return (
    <span class="with-label">
      <button
        type="button"
        class={`row-label plain${isFocused && step.regions.length > 1 ? " focused" : ""}`}
        onClick={() => room.goTo(stepPlace(side, step, region.uid))}
      >
        {step.regions.length > 1 ? `Region ${label}` : "Region"}
      </button>
      <Segments
        name={`verdict-${region.uid}`}
        title={`Does region ${label} fit?`}
        choices={anchored(VERDICTS, criterion)}
        value={state.drawing === region.uid ? "adjusted" : (annotation(reading, region.uid)?.verdict ?? null)}
        disabled={!room.canRate}
        onPoint={(choice) => room.walking.pointAt(choice && pointedIn(criterion, choice))}
        onChoose={(chosen) => {
          room.goTo(stepPlace(side, step, region.uid));
          if (chosen === "adjusted") room.startDrawing(region.uid);
          else room.judgeRegion(region.uid, chosen);
        }}
      />
      <Standing reading={reading} item={verdictOn(region.uid)} />
    </span>
  );
}

/** With what the reader study means by each of them. */
function anchored<Value extends string | number>(
  choices: readonly Choice<Value>[],
  { options }: AskedCriterion,
): Choice<Value>[] {
  return choices.map((choice) => {
    const anchor = options.find(({ value }) => value === choice.value)?.anchor;
    return anchor ? { ...choice, anchor } : choice;
  });
}
