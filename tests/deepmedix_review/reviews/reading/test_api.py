"""The reading page's JSON: blinded, saved by small idempotent requests, closed to all but its reader."""

import uuid
from typing import Any

import pytest
from django.urls import reverse

from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.reviews.models import (
    Reading,
    StepRating,
    Vote,
)
from deepmedix_review.reviews.reading.changes import CastVote, Look, MeasureLines, RateStep, SetWindow
from deepmedix_review.reviews.services import mark_opened
from deepmedix_review.reviews.study_services import remove_reader
from deepmedix_review.studies.models import Series
from deepmedix_review.studies.selectors import visible_studies
from tests.deepmedix_review.reviews.reading.the_api import client_of, post, sent
from tests.factories.accounts import ExpertFactory
from tests.factories.reader_studies import a_draft, running
from tests.factories.reviews import an_open_reading, change, complete, reader_of, reader_study, sign

pytestmark = pytest.mark.django_db


HARDER = Look(1, "HARDER", Reading.Curve.TABLE)


def vote(reading: Reading) -> dict[str, Any]:
    return sent(reading, "cast_vote", {"side": "a"})


def test_a_reading_holds_all_that_its_page_shows() -> None:
    reader = ExpertFactory.create()
    study = reader_study(num_cases=2, readers=[reader], title="Two readers")
    reading, following = Reading.objects.filter(assignment__case__reader_study=study).order_by("assignment")
    step = reading.completion_a.steps.earliest("position")
    change(reading, RateStep(step.uid, 4, False, "clear"))
    change(reading, CastVote(Vote.Side.TIE))
    change(reading, SetWindow(2000.0, 800.0, True, HARDER))
    change(reading, MeasureLines(((1.0, 2.0, 3.0, 4.5),)))

    shown = client_of(reader).get(reverse("api-reading", args=[reading.uid])).json()

    film = reading.completion_a.instance
    assert shown["measured_lines"] == [[1.0, 2.0, 3.0, 4.5]]
    assert shown["reader_study"] == "Two readers"
    assert (shown["position"], shown["num_cases"]) == (1, 2)
    assert shown["case_label"] == reading.assignment.label
    assert shown["instance"]["sop_instance_uid"] == film.sop_instance_uid
    assert shown["instance"]["film_url"] == f"/api/instances/{film.uid}/film/"
    assert shown["instance"]["file_sha256"] == film.file_sha256
    assert [(completion["side"], completion["uid"]) for completion in shown["completions"]] == [
        ("a", str(reading.completion_a.uid)),
        ("b", str(reading.completion_b.uid if reading.completion_b else "")),
    ]
    steps = shown["completions"][0]["steps"]
    assert [len(step["regions"]) for step in steps] == [1, 2]
    assert shown["step_ratings"] == [
        {
            "step": str(step.uid),
            "plausibility": 4,
            "cannot_judge": False,
            "note": "clear",
            "edited_text": "",
        }
    ]
    assert shown["votes"] == [{"kind": "overall", "side": "tie"}]
    assert shown["window"] == {
        "center": 2000.0,
        "width": 800.0,
        "inverted": True,
        "look": {"index": 1, "name": "HARDER", "curve": "table"},
    }
    assert shown["missing"][0] == "3 steps have no rating yet: A 2, B 1 and B 2."
    assert shown["next"] == reverse("reading", args=[following.uid])
    assert (shown["signed_at"], shown["saved_at"] is None) == (None, False)


def test_what_could_not_be_read_is_said_in_sentences_and_a_picture_is_called_so() -> None:
    reading = an_open_reading()
    completion = reading.completion_a
    Completion.objects.filter(pk=completion.pk).update(problems=["think_not_closed", "no_answer"])
    Series.objects.filter(pk=completion.instance.series_id).update(modality="OT")
    shown = client_of(reader_of(reading)).get(reverse("api-reading", args=[reading.uid])).json()
    assert shown["completions"][0]["problems"] == [
        "Its reasoning has no end; it may have been cut off.",
        "It gives no final answer.",
    ]
    assert shown["instance"]["modality"] == "picture"


def test_what_an_output_says_beside_its_steps_and_answer_is_shown_with_models_masked() -> None:
    reading = an_open_reading(num_completions=1)
    client, address = client_of(reader_of(reading)), reverse("api-reading", args=[reading.uid])
    said = "<think> Clear lungs </think> The answer is: \\boxed{normal}. Qwen advises another film."
    Completion.objects.filter(pk=reading.completion_a_id).update(text=said)
    [shown] = client.get(address).json()["completions"]
    assert shown["beside"] == ["[model] advises another film."]
    Completion.objects.filter(pk=reading.completion_a_id).update(problems=["no_think"])
    [shown] = client.get(address).json()["completions"]
    assert (shown["beside"], shown["text"]) == ([], said.replace("Qwen", "[model]"))


def test_nothing_in_a_reading_tells_the_model() -> None:
    reading = an_open_reading()
    completion = reading.completion_a
    body = client_of(reader_of(reading)).get(reverse("api-reading", args=[reading.uid])).content.decode()
    version = completion.model_version
    for secret in (str(version.uid), version.name, version.sha256, "temperature", "seed", "model", "prompt"):
        assert secret not in body


def test_a_change_is_answered_with_the_time_and_what_is_missing() -> None:
    reading = an_open_reading(num_completions=1)
    step = reading.completion_a.steps.earliest("position")
    client = client_of(reader_of(reading))
    data = sent(
        reading, "rate_step", {"step": str(step.uid), "plausibility": 5, "cannot_judge": False, "note": ""}
    )
    first = post(client, "api-reading-changes", reading, data)
    assert first.status_code == 200
    assert first.json()["change_id"] == data["change_id"]
    assert first.json()["missing"][0] == "1 step has no rating yet: 2."
    assert post(client, "api-reading-changes", reading, data).json() == first.json()
    assert StepRating.objects.get(reading=reading).plausibility == 5


def test_signing_says_what_is_missing_then_when_and_where_to_go_on() -> None:
    reading = an_open_reading()
    client = client_of(reader_of(reading))
    data = {
        "change_id": str(uuid.uuid4()),
        "sop_instance_uid": reading.completion_a.instance.sop_instance_uid,
    }
    refused = post(client, "api-reading-sign", reading, data)
    assert refused.status_code == 409
    assert refused.json()["detail"].startswith("4 steps have no rating yet: A 1, A 2, B 1 and B 2.")
    complete(reading)
    signed = post(client, "api-reading-sign", reading, data)
    assert (signed.status_code, signed.json()["next"]) == (200, None)
    assert post(client, "api-reading-sign", reading, data).json() == signed.json()
    locked = post(client, "api-reading-changes", reading, vote(reading))
    assert (locked.status_code, locked.json()["detail"]) == (
        409,
        "This reading is signed and locked. Amend it to change it.",
    )


def test_a_film_that_was_not_on_the_screen_is_a_conflict() -> None:
    reading = an_open_reading()
    client = client_of(reader_of(reading))
    data = sent(reading, "cast_vote", {"side": "a"}, sop_instance_uid="2.25.1")
    refused = post(client, "api-reading-changes", reading, data)
    assert (refused.status_code, "not the film of this case" in refused.json()["detail"]) == (409, True)


def test_who_was_removed_is_shown_no_more_of_what_was_only_begun() -> None:
    """The page itself still opens: it has what its reader's browser keeps of the case."""
    study = running(a_draft(num_cases=2, num_readers=2))
    reader = study.invitations.order_by("pk")[0].reader
    signed, begun = Reading.objects.filter(assignment__reader=reader).order_by("pk")
    complete(signed)
    sign(signed)
    mark_opened(begun, reader=reader)
    client = client_of(reader)
    doors = ("api-reading", "api-reading-completions")
    assert [client.get(reverse(door, args=[begun.uid])).status_code for door in doors] == [200, 200]
    remove_reader(reader_study=study, reader=reader, actor=None)
    for door in doors:
        refused = client.get(reverse(door, args=[begun.uid]))
        said = refused.json()
        assert (refused.status_code, said["is_closed"], said["may_take"]) == (409, True, False)
        assert said["detail"].startswith("You are no longer a reader of this reader study.")
        assert client.get(reverse(door, args=[signed.uid])).status_code == 200
    page = client.get(reverse("reading", args=[begun.uid]))
    assert (page.status_code, b"enlarged" in page.content) == (200, False)
    # The film of what was signed stays within reach, for an amendment; that of the other case doesn't.
    assert set(visible_studies(reader)) == {signed.assignment.case.study}


def test_viewing_a_reading_is_audited() -> None:
    reading = an_open_reading()
    client_of(reader_of(reading)).get(reverse("api-reading", args=[reading.uid]))
    event = AuditEvent.objects.latest("sequence")
    assert (event.action, event.subject_uid) == ("view_reading", str(reading.uid))


def test_saving_a_rating_takes_few_queries_however_long_the_reading(django_assert_num_queries: Any) -> None:
    """Session, user, reading, its surroundings, rating, missing, change, three of the audit chain; the outer
    transaction counts for two here, since the test's own lies around it."""
    for reading in (an_open_reading(num_completions=1), an_open_reading()):
        client = client_of(reader_of(reading))
        step = reading.completion_a.steps.earliest("position")
        rating = {"step": str(step.uid), "plausibility": 3, "cannot_judge": False, "note": ""}
        data = sent(reading, "rate_step", rating)
        with django_assert_num_queries(12):
            answer = post(client, "api-reading-changes", reading, data)
        assert answer.status_code == 200


def test_showing_a_reading_takes_the_same_queries_for_one_completion_and_two(
    django_assert_max_num_queries: Any,
) -> None:
    for reading in (an_open_reading(num_completions=1), an_open_reading()):
        complete(reading)
        client = client_of(reader_of(reading))
        with django_assert_max_num_queries(31):
            client.get(reverse("api-reading", args=[reading.uid]))
