"""What a model named and its readers struck out, and whether that can be believed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rl_feedback.corrections import CorrectionRefused, rewritten_text
from rl_feedback.preferences.kinds import kinds_named
from rl_feedback.raters.oversight import OversightModel, fit_oversight
from rl_feedback.readings import JudgedCompletion, SignedReading

# Less likely made up than this, and what a reader struck out is not taken for made up. As likely a text must
# be good to be an example to follow.
BELIEVED_FROM = 0.8
# A case by its completions, and a kind of finding.
Case = tuple[str, ...]
Item = tuple[Case, str]


@dataclass(frozen=True)
class Strike:
    """One reading's word on one kind of finding that the model named in its case."""

    item: Item
    reading: SignedReading
    is_struck: bool


@dataclass(frozen=True, eq=False)
class Struck:
    """`doubtful`: of each case the kinds that were struck out and are likely there all the same, with the
    names of the readings that struck them. `untold`: those of which a judge can't tell whether they are
    there, with the names of all these readings."""

    model: OversightModel | None
    doubtful: Mapping[Case, Mapping[str, tuple[str, ...]]]
    untold: Mapping[Case, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    believed_from: float = BELIEVED_FROM

    def as_json(self) -> dict[str, Any]:
        """What a data set's card tells of it."""
        counted = sum(len(kinds) for kinds in self.doubtful.values())
        told: dict[str, Any] = {
            "believed_from": self.believed_from,
            "num_doubtful": counted,
            "num_cases": len(self.doubtful),
            "num_untold": sum(len(kinds) for kinds in self.untold.values()),
            "oversight": None,
            "strikes": None,
            "num_words": 0,
            "num_shared_words": 0,
            "num_known": 0,
            "assumed": None,
            "note": "No reader corrected a text that names a finding, so nothing can be told.",
            "kinds": [],
        }
        if self.model is None:
            return told
        found = self.model
        return {
            **told,
            "oversight": asdict(found.oversight),
            "strikes": asdict(found.strikes),
            "num_words": found.num_words,
            "num_shared_words": found.num_shared_words,
            "num_known": found.num_known,
            "assumed": found.assumed,
            "note": found.note,
            "kinds": [
                {
                    "model": row.kind[0],
                    "kind": row.kind[1],
                    "num_words": row.num_words,
                    "num_struck": row.num_struck,
                    "made_up": asdict(row.made_up),
                    "if_struck": found.if_struck_once[row.kind],
                }
                for row in found.kinds
            ],
        }


def case_of(reading: SignedReading) -> Case:
    return tuple(sorted(completion.uid for completion in reading.completions))


def model_of(reading: SignedReading) -> str:
    """Of two models' outputs side by side, both names."""
    return " and ".join(sorted({completion.model for completion in reading.completions}))


def find_strikes(readings: Iterable[SignedReading]) -> Iterator[Strike]:
    """A word for each kind that the model named, of readings that looked over the text: struck out where no
    text that named it does so as its reader would write it."""
    for reading in readings:
        kept: dict[str, bool] = {}
        for completion in reading.completions:
            wanted = as_its_reader_would_have_it(completion)
            if wanted is None:
                continue
            stands = kinds_named(wanted)
            for kind in kinds_named(completion.text):
                kept[kind] = kept.get(kind, False) or kind in stands
        for kind in sorted(kept):
            yield Strike((case_of(reading), kind), reading, not kept[kind])


def as_its_reader_would_have_it(completion: JudgedCompletion) -> str | None:
    """None where the reader did not look it over, or where it can't be written."""
    verdicts = [region.verdict for step in completion.steps for region in step.regions]
    if completion.is_malformed or not (completion.is_reworded or any(verdicts)):
        return None
    if not completion.is_reworded:
        return completion.text
    try:
        return rewritten_text(completion)
    except CorrectionRefused:
        return None


def doubt_strikes(
    strikes: Sequence[Strike],
    *,
    known: Mapping[Item, bool] | None = None,
    untold: Mapping[Item, tuple[str, ...]] | None = None,
) -> Struck:
    """Which strikes of readers are not believed.

    `known`: of what judges settled, whether it is made up; `untold`: of what they can't tell, their readings.
    """
    known, untold = known or {}, untold or {}
    if not strikes:
        return Struck(None, {})
    model = fit_oversight(
        [strike.item for strike in strikes],
        [(model_of(strike.reading), strike.item[1]) for strike in strikes],
        [strike.is_struck for strike in strikes],
        known=known,
    )
    doubtful: dict[Case, dict[str, tuple[str, ...]]] = {}
    left: dict[Case, dict[str, tuple[str, ...]]] = {}
    for strike in strikes:
        if not strike.is_struck or strike.item in known:
            continue
        if strike.item in untold:
            _name(left, strike, *untold[strike.item])
        elif model.made_up[strike.item] < BELIEVED_FROM:
            _name(doubtful, strike)
    return Struck(model, doubtful, left)


def _name(found: dict[Case, dict[str, tuple[str, ...]]], strike: Strike, *others: str) -> None:
    case, kind = strike.item
    behind = found.setdefault(case, {})
    behind[kind] = tuple(sorted({*behind.get(kind, ()), strike.reading.uid, *others}))
