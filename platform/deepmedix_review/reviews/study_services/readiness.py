"""Says what keeps the draft of a reader study from starting, in sentences that name the way out."""

import json
from collections import Counter
from datetime import date

from django.utils import timezone

from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import model_names
from deepmedix_review.reviews.designs import Problem, ReaderStudyDesign
from deepmedix_review.reviews.masking import mask_model_names
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.study_services.drafting import StudyDraft
from deepmedix_review.reviews.study_services.naming import COPIED, it_or_them, named
from deepmedix_review.reviews.study_services.showing import choose_completions
from deepmedix_review.studies.models import Study


def find_unready(draft: StudyDraft) -> tuple[Problem, ...]:
    """Sentences on what keeps this draft from starting; empty where nothing does."""
    said = list(
        draft.design.problems(
            num_cases=len(draft.studies) - round(draft.design.control_share * len(draft.studies)),
            num_readers=len(draft.readers),
        )
    )
    design = draft.design
    said += unready_settings(
        design,
        model_version=draft.model_version,
        other_version=draft.other_version,
        deadline=draft.deadline,
        adjudication=draft.adjudication,
        num_readers=len(draft.readers),
    )
    if design.first_reads == "share" and not 0 < design.first_read_share < 1:
        said.append(
            Problem(
                "A random share of first reads lies between 0 and 1. Choose one, or every case, or off.",
                field="first_read_share",
            )
        )
    said += [*unready_title(draft.title), *_telling_texts(draft)]
    said += _unready_cases(draft)
    return tuple(said)


def unready_title(title: str) -> tuple[Problem, ...]:
    """Of one that was copied and is no title for readers yet."""
    if not title.rstrip().endswith(COPIED.strip()):
        return ()
    return (
        Problem(
            f"The title still ends with “{COPIED.strip()}”, and readers see it. Give this reader study a "
            "title of its own.",
            field="title",
        ),
    )


def unready_settings(
    design: ReaderStudyDesign,
    *,
    model_version: ModelVersion | None,
    other_version: ModelVersion | None,
    deadline: date | None,
    adjudication: str,
    num_readers: int,
) -> tuple[Problem, ...]:
    """What of the settings alone keeps a study from starting: known while the form is being filled."""
    said: list[Problem] = []
    if design.shows in ("two_versions", "one_of_two"):
        if other_version is None:
            said.append(Problem("Choose both model versions, each by its number.", field="other_version"))
        elif model_version is None:
            said.append(
                Problem(
                    "Two models are compared: choose the model version by its number too, not the one that "
                    "serves when the study starts.",
                    field="version",
                )
            )
        elif model_version == other_version:
            said.append(
                Problem(
                    "Both model versions are the same. Choose another one, or two completions of one.",
                    field="other_version",
                )
            )
    if deadline is not None and deadline < timezone.localdate():
        said.append(Problem("The deadline has passed. Choose a later one, or none.", field="deadline"))
    if adjudication == ReaderStudy.Adjudication.THIRD_READER and num_readers < 3:
        said.append(
            Problem(
                "A third reader needs at least 3 readers. Invite more, or choose a consensus reading.",
                field="adjudication",
            )
        )
    return tuple(said)


def _telling_texts(draft: StudyDraft) -> list[Problem]:
    """Readers see these, so none of them may tell which model they read."""
    texts = {"title": draft.title, "instructions": draft.instructions}
    texts |= {f"answer “{choice}”": choice for choice in draft.first_read_choices}
    for asked in (item.criterion for item in draft.asked):
        options = json.dumps(asked.options, ensure_ascii=False)
        texts[f"question “{asked.name}”"] = f"{asked.name} {asked.question} {options}"
    names, said_in = model_names(), ("title", "instructions")
    return [
        Problem(
            f"The text of the {what} names a model, and readers see it. Write it without the name.",
            field="first_read_choices" if what.startswith("answer") else what if what in said_in else "",
        )
        for what, text in texts.items()
        if mask_model_names(text, names) != text
    ]


def _unready_cases(draft: StudyDraft) -> list[Problem]:
    wanted = [*draft.studies, *(case.study for case in draft.taught)]
    said: list[Problem] = []
    times = Counter(study.pk for study in wanted)
    twice = sorted({study.label for study in wanted if times[study.pk] > 1})
    if twice:
        said.append(
            Problem(
                f"{named(twice, 'is', 'are')} chosen twice. A reader would see {it_or_them(twice)} again; "
                "take one out.",
                field="cases_from",
            )
        )
    unseen = [study.label for study in wanted if study.state == Study.State.UNSEEN]
    if unseen:
        said.append(
            Problem(
                f"Nobody has looked yet whether a name is written on {named(unseen)}. Look at the unseen "
                "films, from the list of studies, or take these out.",
                field="cases_from",
            )
        )
    withdrawn = [study.label for study in wanted if study.state in (Study.State.HELD, Study.State.REJECTED)]
    if withdrawn:
        it = it_or_them(withdrawn)
        said.append(
            Problem(
                f"{named(withdrawn, 'is', 'are')} on hold or rejected. Accept {it} first, or take {it} out.",
                field="cases_from",
            )
        )
    both = draft.design.shows in ("two_versions", "one_of_two")
    if both and (draft.model_version is None or draft.other_version is None):
        return said
    chosen = choose_completions(
        wanted,
        shows=draft.design.shows,
        model_version=draft.model_version,
        other_version=draft.other_version,
    )
    silent = [study.label for study in wanted if study.pk not in chosen]
    if silent:
        of_what = "both models on one film and question" if both else "that model yet"
        said.append(
            Problem(
                f"{named(silent, 'has', 'have')} no completion of {of_what}. Request inference first.",
                field="cases_from",
            )
        )
    return said
