"""Draws what readers struck out of the model's texts, and how much of it was likely made up."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deepmedix_review.feedback.models import PreferenceDataset
from deepmedix_review.reviews.results.figures import Cell, Figure, Table, missing, rounded
from deepmedix_review.reviews.results.plots import interval_plot
from rl_feedback.counting import counted

KEY, TITLE = "strikes", "What readers struck out, and how much of it was made up"
METHOD = (
    "two classes (Dawid and Skene 1979) with a share of made-up findings for each kind that a model names, "
    "one rate at which readers strike out what is there and one at which they strike out what is not, summed "
    "over a grid; drawn is each kind's share of made-up findings with its 95 % credible interval"
)
COLUMNS = (
    *("model", "kind", "words", "struck out", "share struck out"),
    *("made up", "low", "high", "made up, if its one reader struck it out"),
)
NOT_ASKED = "This set was frozen before strikes were weighed. Freeze a new one to see them."


def strike_figures(dataset: PreferenceDataset) -> tuple[Figure, ...]:
    told: Mapping[str, Any] | None = dataset.readers.get("struck")
    if told is None or not told["kinds"]:
        note = NOT_ASKED if told is None else told["note"]
        return (missing(key=KEY, title=TITLE, method=METHOD, note=note),)
    kinds: Sequence[Mapping[str, Any]] = told["kinds"]
    oversight = told["oversight"]
    return (
        Figure(
            key=KEY,
            title=TITLE,
            table=Table(COLUMNS, tuple(_cells(row) for row in kinds)),
            method=METHOD,
            n=f"{counted(told['num_words'], 'word')} on findings that the model named, "
            f"{told['num_shared_words']} of them where several looked or the answer is known",
            value=f"{oversight['mean']:.0%} of what is there is struck out by oversight".replace(
                "%", " %", 1
            ),
            interval=f"95 % interval {oversight['low']:.2f} to {oversight['high']:.2f}",
            note=" ".join(_notes(told)),
            plot=interval_plot(
                [
                    (_name(row), row["made_up"]["mean"], (row["made_up"]["low"], row["made_up"]["high"]))
                    for row in kinds
                ],
                low=0.0,
                high=1.0,
                marks=(round(oversight["mean"], 2),),
                unit="share",
                said=f"{TITLE}: " + ", ".join(f"{_name(row)} {row['made_up']['mean']:.2f}" for row in kinds),
            ),
        ),
    )


def struck_rows(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For a data set's card: a row for each kind."""
    return [dict(zip(COLUMNS, _cells(row), strict=True)) for row in told.get("kinds", [])]


def struck_in_words(told: Mapping[str, Any]) -> str:
    """For a data set's card: how often readers overlook, and what became of the strikes in doubt."""
    if not told.get("kinds"):
        return str(told.get("note", NOT_ASKED))
    rate = told["oversight"]
    return (
        f"Readers strike out {rate['mean']:.0%} of what is there ({rate['low']:.0%} to {rate['high']:.0%}; "
        f"{told['num_shared_words']} of {told['num_words']} words are on findings that several looked at or "
        f"whose answer is known). {' '.join(_notes(told))}"
    )


def _notes(told: Mapping[str, Any]) -> Iterator[str]:
    if told["note"]:
        yield str(told["note"])
    if told["num_doubtful"]:
        yield (
            f"{counted(told['num_doubtful'], 'finding')} of {counted(told['num_cases'], 'case')} "
            f"{'was' if told['num_doubtful'] == 1 else 'were'} struck out but less than "
            f"{told['believed_from']:.0%} sure to be made up: what rests on that is not taught, and it is "
            f"listed for adjudication. {told['num_given'] or 'None'} of the cases "
            f"{'was' if told['num_given'] == 1 else 'were'} given to another reader at the freeze."
        )
    elif not told.get("num_untold"):
        yield "Every strike is believed."
    if told.get("num_untold"):
        number = counted(told["num_untold"], "finding")
        yield f"Of {number} the judge can't tell whether it is there: nothing is taught of that."


def _cells(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    share = row["num_struck"] / row["num_words"]
    made_up = (row["made_up"][name] for name in ("mean", "low", "high"))
    return (
        *(row["model"], row["kind"], row["num_words"], row["num_struck"]),
        *map(rounded, (share, *made_up, row["if_struck"])),
    )


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['model']} {row['kind']}".strip()
