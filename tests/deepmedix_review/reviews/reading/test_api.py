"""The reading page's JSON: blinded, saved by small idempotent requests, closed to all but its reader."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepmedix_review.accounts.models import User
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.reasoning.models import Completion
from deepmedix_review.reviews.models import (
    Criterion,
    MissedFinding,
    ReaderStudyCriterion,
    Reading,
    ReadingChange,
    StepRating,
    Vote,
)
from deepmedix_review.reviews.reading.change_serializers import FORMS
from deepmedix_review.reviews.reading.changes import CastVote, Look, MeasureLines, RateStep, SetWindow
from deepmedix_review.reviews.services import mark_opened
from deepmedix_review.reviews.study_services import remove_reader
from deepmedix_review.studies.models import Series
from deepmedix_review.studies.selectors import visible_studies
from tests.factories.accounts import ExpertFactory
from tests.factories.reader_studies import a_draft, running
from tests.factories.reviews import an_open_reading, change, complete, reader_of, reader_study, sign

pytestmark = pytest.mark.django_db


def client_of(user: User) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(user)
    return client


def sent(reading: Reading, kind: str, payload: Any, **fields: Any) -> dict[str, Any]:
    return {
        "change_id": str(uuid.uuid4()),
        "sop_instance_uid": reading.completion_a.instance.sop_instance_uid,
        "kind": kind,
        "payload": payload,
        **fields,
    }


def post(client: Client, name: str, reading: Reading, data: Any) -> Any:
    return client.post(reverse(name, args=[reading.uid]), data, content_type="application/json")


LOOK: dict[str, Any] = {"index": 1, "name": "HARDER", "curve": "table"}
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


@pytest.mark.parametrize(
    ("kind", "payload", "sentence"),
    [
        (
            "rate_step",
            {"plausibility": 6},
            "payload.plausibility: Ensure this value is less than or equal to 5.",
        ),
        ("rate_step", {"plausibility": 0}, "greater than or equal to 1"),
        ("rate_step", {"plausibility": True}, "plausibility"),
        ("rate_step", {"step": "../etc"}, "payload.step: Must be a valid UUID."),
        ("rate_step", {"note": "x" * 4001}, "payload.note"),
        ("rate_step", {"note": "\x00"}, "payload.note"),
        ("rate_step", {"note": "\ud800"}, "half of a character"),
        ("annotate_region", {"box": [1, 2, 3]}, "payload.box"),
        ("annotate_region", {"box": [1, 2, 3, "x"]}, "payload.box"),
        ("annotate_region", {"verdict": "maybe"}, "payload.verdict"),
        ("cast_vote", {"side": "c"}, "payload.side"),
        ("cast_vote", {"kind": "worst"}, "payload.kind"),
        ("rate_step", {"edited_text": "x" * 4001}, "payload.edited_text"),
        ("rate_answer", {"harm": "some"}, "payload.harm"),
        ("rate_answer", {"harm": None}, "payload.harm"),
        ("rate_answer", {"rewrite": "x" * 4001}, "payload.rewrite"),
        ("draw_region", {"uid": "1"}, "payload.uid"),
        ("draw_region", {"uid": None}, "payload.uid"),
        ("draw_region", {"box": "all"}, "payload.box"),
        ("draw_region", {"box": [1, 2, 3, None]}, "payload.box"),
        ("draw_region", {"first_read": "second"}, "payload.first_read"),
        ("add_finding", {"text": ""}, "payload.text"),
        ("add_finding", {"text": "   "}, "payload.text"),
        ("add_finding", {"text": "x" * 1001}, "payload.text"),
        ("add_finding", {"text": "\ud800"}, "half of a character"),
        ("add_finding", {"completion": "7"}, "payload.completion"),
        ("rate_criterion", {"value": {"a": 1}}, "payload.value"),
        ("rate_criterion", {"value": 1.5}, "payload.value"),
        ("rate_criterion", {"value": True}, "payload.value"),
        ("rate_criterion", {"value": [[1]]}, "payload.value"),
        ("rate_criterion", {"value": 10**12}, "payload.value"),
        ("rate_criterion", {"value": "x" * 4001}, "payload.value"),
        ("rate_criterion", {"value": "\ud800"}, "half of a character"),
        ("rate_criterion", {"value": ["\x00"]}, "payload.value"),
        ("rate_criterion", {"value": list(range(51))}, "payload.value"),
        ("rate_criterion", {"criterion": "plausibility"}, "payload.criterion"),
        ("say_first_read", {"findings": ["Flu"]}, "payload.findings"),
        ("say_first_read", {"findings": ["Edema"] * 15}, "payload.findings"),
        ("say_first_read", {"findings": "Edema"}, "payload.findings"),
        ("say_first_read", {"confidence": 6}, "payload.confidence"),
        ("say_first_read", {"impression": "x" * 1001}, "payload.impression"),
        ("say_first_read", {"choice": "x" * 301}, "payload.choice"),
        ("say_first_read", {"is_after_reveal": "perhaps"}, "payload.is_after_reveal"),
        ("set_window", {"width": "wide"}, "payload.width"),
        ("set_window", {"look": {**LOOK, "index": -1}}, "payload.look.index"),
        ("set_window", {"look": {**LOOK, "index": 10**9}}, "payload.look.index"),
        ("set_window", {"look": {**LOOK, "curve": "bent"}}, "payload.look.curve"),
        ("set_window", {"look": {**LOOK, "name": "Jane Roe"}}, "only words of display"),
        ("set_window", {"look": {**LOOK, "name": ""}}, "payload.look.name"),
        ("set_window", {"look": {**LOOK, "name": "SOFT " * 20}}, "payload.look.name"),
        ("set_window", {"look": {"index": 1}}, "payload.look.curve"),
        ("set_window", {"look": "HARDER"}, "payload.look"),
        ("measure_lines", {"lines": [[0, 0, 1]]}, "payload.lines"),
        ("measure_lines", {"lines": [[0, 0, 1, "wide"]]}, "payload.lines"),
        ("measure_lines", {"lines": [[0, 0, 1, 1]] * 13}, "payload.lines"),
        ("add_active_time", {"seconds": -1}, "payload.seconds"),
        ("add_active_time", {"seconds": 10**9}, "payload.seconds"),
        ("sign", {}, "kind of change"),
    ],
)
def test_an_unreadable_change_is_refused_with_the_field_that_is_wrong(
    kind: str, payload: Any, sentence: str
) -> None:
    reading = an_open_reading()
    refused = post(
        client_of(reader_of(reading)), "api-reading-changes", reading, sent(reading, kind, payload)
    )
    assert refused.status_code == 400
    assert sentence in refused.json()["detail"]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999"])
def test_numbers_that_json_does_not_have_are_refused(text: str) -> None:
    reading = an_open_reading()
    data = json.dumps(sent(reading, "set_window", {"center": 0, "width": "WIDTH", "inverted": False}))
    answer = client_of(reader_of(reading)).post(
        reverse("api-reading-changes", args=[reading.uid]),
        data.replace('"WIDTH"', text),
        content_type="application/json",
    )
    assert answer.status_code == 400


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.uuids().map(str),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=8,
)
# What a page would send, by field; "…" stands for a uid of the case.
LIKELY: dict[str, list[Any]] = {
    "plausibility": [1, 5, None],
    "cannot_judge": [True, False],
    "verdict": ["fits", "adjusted", "wrong", None],
    "box": [[1, 2, 3, 4], [0, 0, 480, 640], [5, 5, 5, 5], [-1, 0, 9, 9], [0, 0, 1e308, 1e308], None],
    "harm": ["", "none", "severe"],
    "side": ["a", "both_bad", None],
    "kind": ["grounded", "overall"],
    "first_read": ["first", "after_reveal", None],
    "value": [1, "side", ["side", "zone"], [], "a text", None],
    "is_after_reveal": [True, False],
    "findings": [[], ["Edema"], ["No Finding", "Edema"]],
    "choice": ["", "yes"],
    "inverted": [True, False],
    "seconds": [0, 5],
}
UIDS = ("step", "region", "completion", "missed_finding", "uid", "criterion")


def payloads(kind: str) -> st.SearchStrategy[Any]:
    """Payloads with the kind's own fields, each what a page would send or anything at all."""
    if kind not in FORMS:
        return JSON
    fields = FORMS[kind][0]().fields["payload"].fields  # type: ignore[attr-defined]
    likely = {
        name: st.sampled_from(["…", None] if name in UIDS else LIKELY.get(name, ["", "text", 1]))
        for name in fields
    }
    return st.one_of(
        st.fixed_dictionaries(likely),
        st.fixed_dictionaries({name: value | JSON for name, value in likely.items()}),
        JSON,
    )


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sent_change=st.sampled_from([*FORMS, "", "sign"]).flatmap(
        lambda kind: st.tuples(st.just(kind), payloads(kind))
    ),
    is_blind=st.booleans(),
)
def test_no_payload_whatever_breaks_the_server(db: None, sent_change: Any, is_blind: bool) -> None:
    kind, payload = sent_change
    found = Reading.objects.filter(asks_first_read=is_blind).first()
    reading = found or an_open_reading(asks_first_read=is_blind)
    if isinstance(payload, dict):
        step = reading.completion_a.steps.earliest("position")
        own = Criterion.objects.filter(asked__isnull=False, field="").first() or own_criterion(reading)
        finding = MissedFinding.objects.filter(reading=reading).first()
        uids = {
            "step": step.uid,
            "region": step.regions.earliest("position").uid,
            "completion": reading.completion_a.uid,
            "missed_finding": finding.uid if finding else uuid.uuid4(),
            "uid": finding.uid if finding and kind == "add_finding" else uuid.uuid4(),
            "criterion": own.uid,
        }
        payload |= {name: str(uids[name]) for name, value in payload.items() if value == "…"}
    client = client_of(reader_of(reading))
    answer = post(client, "api-reading-changes", reading, sent(reading, kind, payload))
    assert answer.status_code in (200, 400, 403, 409), answer.content
    if answer.status_code == 200:
        assert client.get(reverse("api-reading", args=[reading.uid])).status_code == 200
    else:
        assert answer.json()["detail"]


def own_criterion(reading: Reading) -> Criterion:
    """A question of the reader study's own."""
    options = [{"value": value, "label": str(value), "anchor": "…"} for value in (1, 2, "side", "zone")]
    criterion = Criterion.objects.create(
        key="own", name="Own", target="step", kind="choices", options=options
    )
    ReaderStudyCriterion.objects.create(
        reader_study=reading.assignment.case.reader_study, criterion=criterion, position=1
    )
    return criterion


@pytest.mark.parametrize("data", [[], "text", 3, None, {"change_id": "x"}])
def test_a_body_that_is_no_change_is_refused(data: Any) -> None:
    reading = an_open_reading()
    assert post(client_of(reader_of(reading)), "api-reading-changes", reading, data).status_code == 400
    assert not ReadingChange.objects.exists()


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
