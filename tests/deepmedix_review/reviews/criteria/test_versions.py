"""Criteria come with the product or are an admin's own; one with ratings never changes."""

import pytest

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.reviews.criteria.library import DEFAULT_KEYS, LIBRARY, Option
from deepmedix_review.reviews.criteria.versions import (
    Asked,
    ask,
    asked_of,
    ensure_library,
    library,
    retire_criterion,
    save_criterion,
    why_new_version,
)
from deepmedix_review.reviews.models import Criterion, CriterionRating, Reading
from deepmedix_review.reviews.study_services import design_reader_study
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reader_studies import a_draft, running

pytestmark = pytest.mark.django_db

YES_NO = (Option("yes", "yes", "it is"), Option("no", "no", "it is not"))


def an_own_one(name: str = "Tone", **fields: object) -> Criterion:
    values = {"question": "Is it calm?", "target": "answer", "kind": "choice", "options": YES_NO} | fields
    return save_criterion(actor=AdminFactory.create(), name=name, **values).criterion  # type: ignore[arg-type]


def test_the_library_is_there_once_with_anchors_for_every_value() -> None:
    ensure_library()
    found = list(library())
    assert [criterion.key for criterion in found] == [offered.key for offered in LIBRARY]
    assert all(option["anchor"] for criterion in found for option in criterion.options)
    fields = {criterion.field for criterion in found if criterion.field}
    assert fields == {
        *("plausibility", "verdict", "relevance", "correctness", "completeness", "harm"),
        *("grounded", "overall"),
    }


def test_new_words_of_a_library_criterion_are_a_new_version() -> None:
    Criterion.objects.filter(key="omission").update(question="In other words?")
    ensure_library()
    assert Criterion.objects.get(key="omission").question != "In other words?"
    Criterion.objects.filter(key="plausibility").update(question="In other words?")
    ensure_library()
    versions = Criterion.objects.filter(key="plausibility").order_by("version")
    assert [criterion.version for criterion in versions] == [1, 2]
    assert next(c for c in library() if c.key == "plausibility").version == 2
    ensure_library()
    assert versions.count() == 2


def test_a_reader_study_asks_what_was_chosen_in_that_order_else_what_was_always_asked() -> None:
    own = an_own_one()
    plausibility = library().get(key="plausibility")
    chosen = (Asked(own, is_required=False), Asked(plausibility))
    reader_study = design_reader_study(draft=a_draft(asked=chosen), actor=None)
    assert asked_of(reader_study) == chosen
    assert [asked.criterion.key for asked in asked_of(running())] == list(DEFAULT_KEYS)
    with pytest.raises(RefusedByRule, match="asked twice"):
        ask(reader_study, [Asked(own), Asked(own)])


def test_two_criteria_that_can_be_asked_never_share_a_name() -> None:
    ensure_library()
    own = an_own_one()
    for taken in ("Tone", " tone ", "plausibility"):
        with pytest.raises(RefusedByRule, match=r"There is a criterion .+ already"):
            an_own_one(taken)
    other = an_own_one("Pitch")
    with pytest.raises(RefusedByRule, match="There is a criterion Tone already"):
        save_criterion(
            actor=AdminFactory.create(),
            criterion=other,
            name="Tone",
            question="Is it high?",
            target="answer",
            kind="choice",
            options=YES_NO,
        )
    retire_criterion(criterion=own, actor=AdminFactory.create())
    assert an_own_one("Tone").key != own.key


def test_an_own_criterion_changes_until_it_is_asked_or_answered() -> None:
    own, admin = an_own_one(), AdminFactory.create()

    def rename(criterion: Criterion, name: str) -> tuple[Criterion, str]:
        saved = save_criterion(
            actor=admin,
            criterion=criterion,
            name=name,
            question="Is it calm?",
            target="answer",
            kind="choice",
            options=YES_NO,
        )
        return saved.criterion, saved.reason

    same, reason = rename(own, "Calm")
    assert (same.pk, same.name, reason) == (own.pk, "Calm", "")
    design_reader_study(draft=a_draft(asked=[Asked(own)]), actor=None)
    assert why_new_version(own) == ""

    running(a_draft(asked=[Asked(own)]))
    second, reason = rename(own, "Calmer")
    assert (second.key, second.version, second.name) == (own.key, 2, "Calmer")
    assert "A reader study asks this version" in reason
    own.refresh_from_db()
    assert own.name == "Calm"
    assert [c for c in library() if c.key == own.key] == [second]
    with pytest.raises(RefusedByRule, match="Version 2 was made meanwhile"):
        rename(own, "Calmest")

    reading = Reading.objects.earliest("pk")
    CriterionRating.objects.create(
        reading=reading, criterion=second, completion=reading.completion_a, value="yes"
    )
    third, reason = rename(second, "Calmest")
    assert third.version == 3
    assert "Readers have answered this version" in reason
    assert rename(third, "Calmest") == (third, "")


def test_a_retired_criterion_is_offered_to_no_new_reader_study() -> None:
    own, admin = an_own_one(), AdminFactory.create()
    retire_criterion(criterion=own, actor=admin)
    assert own not in library()
    with pytest.raises(RefusedByRule, match="comes with the product"):
        retire_criterion(criterion=library()[0], actor=admin)


def test_the_name_of_a_retired_criterion_is_free_and_its_key_is_not() -> None:
    retired = an_own_one()
    retire_criterion(criterion=retired, actor=AdminFactory.create())
    assert [retired.key, an_own_one().key, an_own_one("!").key] == ["tone", "tone-2", "criterion"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": " "}, "has no name"),
        ({"name": "n" * 61}, "longer than 60"),
        ({"question": "q" * 301}, "longer than 300"),
        ({"target": "film"}, "Choose what the criterion is asked of"),
        ({"kind": "text"}, "A text has no options"),
        ({"options": YES_NO[:1]}, "2 to 20 options"),
        ({"options": (YES_NO[0], YES_NO[0])}, "the same value"),
        ({"options": (Option("", "x", "y"), *YES_NO)}, "a value and a label"),
        ({"options": (Option("a", "a", " "), *YES_NO)}, "a has no anchor"),
        ({"options": (Option("a", "a", ""), Option("b", "b", ""), *YES_NO)}, "a, b have no anchor"),
        ({"kind": "scale"}, "whole numbers that rise"),
        ({"kind": "scale", "options": (Option(2, "2", "b"), Option(1, "1", "a"))}, "whole numbers that rise"),
    ],
)
def test_a_criterion_that_cannot_be_answered_is_refused(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(RefusedByRule, match=sentence):
        an_own_one(**fields)  # type: ignore[arg-type]


def test_only_an_admin_makes_one_and_never_changes_the_librarys() -> None:
    with pytest.raises(NotYours):
        save_criterion(actor=ExpertFactory.create(), name="n", question="", target="case", kind="text")
    admin = AdminFactory.create()
    with pytest.raises(RefusedByRule, match="Make one of your own"):
        save_criterion(actor=admin, criterion=library()[0], name="n", question="", target="case", kind="text")
    made = save_criterion(actor=admin, name="Remarks", question="", target="case", kind="text").criterion
    event = AuditEvent.objects.latest("sequence")
    assert (event.action, event.subject_uid, event.details["version"]) == (
        "save_criterion",
        str(made.uid),
        1,
    )
