"""What is missing is said by name, in sentences a reader can act on."""

import pytest

from deepmedix_review.reasoning.models import Completion
from deepmedix_review.reviews.models import Reading
from deepmedix_review.reviews.reading.changes import RateAnswer, RateStep
from deepmedix_review.reviews.reading.completeness import Missing, find_missing
from deepmedix_review.reviews.reading.completion_view import show_completions
from tests.factories.reviews import an_open_reading, change, complete, completions_of


@pytest.mark.parametrize(
    ("missing", "sentences"),
    [
        (Missing(), ()),
        (Missing(steps=("A 1",)), ("1 step has no rating yet: A 1.",)),
        (Missing(steps=("A 1", "A 2", "B 3")), ("3 steps have no rating yet: A 1, A 2 and B 3.",)),
        (Missing(regions=("1b",)), ("1 region has no verdict yet: 1b.",)),
        (
            Missing(answers=(("A", ("relevance", "completeness")),)),
            ("Answer A has no rating yet for relevance and completeness.",),
        ),
        (Missing(answers=(("", ("correctness",)),)), ("The answer has no rating yet for correctness.",)),
        (Missing(votes=("better overall",)), ("The vote between A and B is still open: better overall.",)),
    ],
)
def test_each_kind_of_thing_has_its_sentence(missing: Missing, sentences: tuple[str, ...]) -> None:
    assert missing.sentences == sentences


@pytest.mark.django_db
def test_all_of_a_new_reading_is_missing_and_nothing_of_a_complete_one() -> None:
    reading = an_open_reading()
    assert find_missing(reading) == Missing(
        steps=("A 1", "A 2", "B 1", "B 2"),
        regions=("A 1", "A 2a", "A 2b", "B 1", "B 2a", "B 2b"),
        answers=(
            ("A", ("relevance", "correctness", "completeness")),
            ("B", ("relevance", "correctness", "completeness")),
        ),
        votes=("better overall",),
    )
    complete(reading)
    assert find_missing(reading) == Missing()


@pytest.mark.django_db
def test_one_completion_has_no_sides_and_no_vote() -> None:
    reading = an_open_reading(num_completions=1)
    missing = find_missing(reading)
    assert (missing.steps, missing.votes) == (("1", "2"), ())
    assert missing.sentences[2] == "The answer has no rating yet for relevance, correctness and completeness."


@pytest.mark.django_db
def test_a_step_that_cannot_be_judged_is_not_missing_and_a_rating_taken_back_is() -> None:
    reading = an_open_reading(num_completions=1)
    first, second = reading.completion_a.steps.all()
    change(reading, RateStep(first.uid, None, True, ""))
    change(reading, RateStep(second.uid, 4, False, ""))
    assert find_missing(reading).steps == ()
    change(reading, RateStep(second.uid, None, False, "a note alone"))
    assert find_missing(reading).steps == ("2",)


@pytest.mark.django_db
def test_signs_that_turn_a_malformed_text_round_are_shown_as_what_they_are() -> None:
    reading = an_open_reading()
    turned = {"text": "Large\u202e heart", "answer": "big\u2066"}
    Completion.objects.filter(pk=reading.completion_a.pk).update(problems=["turned_text"], **turned)
    reading.completion_a.steps.filter(position=1).update(text="Large\u202e heart")
    reading = Reading.objects.get(pk=reading.pk)
    shown, other = show_completions(reading)
    assert (shown.text, shown.answer) == ("Large<U+202E> heart", "big<U+2066>")
    assert shown.steps[0].text == "Large<U+202E> heart"
    assert other.text == completions_of(reading)[1].text


@pytest.mark.django_db
def test_more_regions_than_anybody_could_check_are_not_drawn() -> None:
    reading = an_open_reading()
    Completion.objects.filter(pk=reading.completion_a.pk).update(problems=["too_many_regions"])
    shown, other = show_completions(Reading.objects.get(pk=reading.pk))
    assert not any(step.regions for step in shown.steps)
    assert any(step.regions for step in other.steps)


@pytest.mark.django_db
def test_a_malformed_completion_needs_only_its_answer_rated_and_the_vote() -> None:
    reading = an_open_reading()
    for completion in completions_of(reading):
        Completion.objects.filter(pk=completion.pk).update(problems=["no_answer"])
    missing = find_missing(reading)
    assert (missing.steps, missing.regions, missing.votes) == ((), (), ("better overall",))
    change(reading, RateAnswer(reading.completion_a.uid, 1, None, 1))
    assert find_missing(reading).answers[0] == ("A", ("correctness",))
