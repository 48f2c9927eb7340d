"""A data set's card: what it holds, of whom, how it was made and what to mind, to go with it as a file."""

from collections.abc import Iterator, Sequence
from typing import Any

from deepmedix_review.feedback.datasets.strike_figures import struck_in_words, struck_rows
from deepmedix_review.feedback.datasets.summary import SIDES, Summary
from deepmedix_review.feedback.models import PreferenceDataset
from deepmedix_review.reviews.results.figures import wilson
from rl_feedback.counting import counted

USE = (
    "Research on chest X-ray models that reason with regions; not for diagnosis. Texts are a model's own or"
    " readers' corrections of them; readers and patients stand under no name."
)
MADE = (
    "Signed readings of data cases, in their latest amendment. Controls, training and calibration cases and"
    " hidden repeats measure the readers and are not in it. Ratings are weighed by each reader's severity and"
    " reliability, verdicts by each reader's errors, votes by each reader's precision and favoured side;"
    " boxes of several readers are medians. What readers contradict each other on is left to adjudication,"
    " and an adjudication stands; so is what one struck out and likely overlooked. Patients are split by a"
    " keyed hash, each on one side in every data set."
)

AGREEMENT = ("criterion", "statistic", "value", "low", "high", "num_items", "num_words")


def card_of(dataset: PreferenceDataset, summary: Summary) -> dict[str, Any]:
    """Everything as plain JSON; no reader's or patient's name is in it."""
    return {
        "title": dataset.title,
        "uid": str(dataset.uid),
        "sha256": dataset.sha256,
        "signed_up_to": dataset.as_of.isoformat(),
        "use": USE,
        "made": MADE,
        "num_readings": dataset.num_readings,
        "num_readers": summary.num_readers,
        "sides": [vars(side) for side in summary.sides],
        "pairs": [
            {
                "origin": row.origin,
                "number": row.number,
                **dict(zip(SIDES, row.by_side, strict=True)),
                "mean_weight": round(row.mean_weight, 4),
                "chosen_characters": round(row.chosen_length, 1),
                "rejected_characters": round(row.rejected_length, 1),
                "chosen_regions": round(row.chosen_regions, 2),
                "rejected_regions": round(row.rejected_regions, 2),
                "share_longer": _share_longer(row.longer, row.shorter),
            }
            for row in summary.origins
            if row.number
        ],
        "labels": [
            {
                "criterion": row.criterion,
                "number": row.number,
                **dict(zip(SIDES, row.by_side, strict=True)),
                "mean": round(row.mean, 4),
                "mean_variance": None if row.mean_variance is None else round(row.mean_variance, 4),
                "mean_effective_readers": round(row.mean_effective_readers, 2),
            }
            for row in summary.criteria
        ],
        "expert_regions": {
            "number": dataset.num_regions,
            "as_the_model_drew_them": summary.num_own_regions,
            "as_readers_drew_them": summary.num_readers_regions,
            "of_missed_findings": summary.num_missed_regions,
            "erased_since": summary.num_erased_regions,
        },
        "agreement": [
            {name: row[name] for name in AGREEMENT} for row in dataset.readers.get("agreement", [])
        ],
        "reader_studies": list(dataset.readers.get("reader_studies", [])),
        # No reader stands in a card, under whatever name.
        "readers_left_out": [
            {"reason": row["reason"], "num_readings": row["num_readings"]}
            for row in dataset.readers.get("left_out", [])
        ],
        "readers_to_mind": [
            {"one_reader": "; ".join(row["says"])} for row in dataset.readers.get("cautions", [])
        ],
        "oversight": struck_in_words(dataset.readers.get("struck", {})),
        "struck_out": struck_rows(dataset.readers.get("struck", {})),
        "left_out": [vars(row) for row in summary.left_out],
        "sent_to_adjudication": [vars(row) for row in summary.disputes],
    }


def as_markdown(card: dict[str, Any]) -> str:
    return "\n".join(_lines(card)) + "\n"


def _lines(card: dict[str, Any]) -> Iterator[str]:
    yield f"# {card['title']}"
    yield f"Frozen data set `{card['uid']}`, sha256 `{card['sha256']}`."
    yield f"{counted(card['num_readings'], 'reading')} by {counted(card['num_readers'], 'reader')}."
    yield f"They were signed up to {card['signed_up_to']}."
    yield ""
    yield f"**Use.** {card['use']}"
    yield ""
    yield f"**How it was made.** {card['made']}"
    for heading, rows in (
        ("Sides", card["sides"]),
        ("Pairs", card["pairs"]),
        ("Labels", card["labels"]),
        ("Reader studies", card["reader_studies"]),
        ("Readers left out", card["readers_left_out"]),
        ("Readers to look at before they are believed", card["readers_to_mind"]),
        ("Agreement of the readers", card["agreement"]),
        ("What readers struck out", card["struck_out"]),
        ("What gave no pair", card["left_out"]),
        ("Needs adjudication", card["sent_to_adjudication"]),
    ):
        yield ""
        yield f"## {heading}"
        yield from _table(rows)
    yield ""
    yield "## What readers overlook"
    yield card["oversight"]
    regions = card["expert_regions"]
    yield ""
    yield "## Regions"
    yield (
        f"{regions['number']} in all, {regions['as_the_model_drew_them']} as the model drew them, "
        f"{regions['as_readers_drew_them']} as readers moved or drew them, "
        f"{regions['of_missed_findings']} of findings that it missed, "
        f"{regions['erased_since']} erased since."
    )


def _table(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    if not rows:
        yield "None."
        return
    names = list(rows[0])
    yield "| " + " | ".join(name.replace("_", " ") for name in names) + " |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield "| " + " | ".join(_cell(row[name]) for name in names) + " |"


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")


def _share_longer(longer: int, shorter: int) -> list[float] | None:
    """The share of pairs of different length whose chosen text is the longer one, and its 95 % interval."""
    decided = longer + shorter
    return [round(value, 4) for value in (longer / decided, *wilson(longer, decided))] if decided else None
