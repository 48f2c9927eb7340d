"""Whatever is sent to a reading in place of a change is refused with a sentence, and breaks nothing."""

import json
import uuid
from typing import Any

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepmedix_review.reviews.models import (
    Criterion,
    MissedFinding,
    ReaderStudyCriterion,
    Reading,
    ReadingChange,
)
from deepmedix_review.reviews.reading.change_serializers import FORMS
from tests.deepmedix_review.reviews.reading.the_api import client_of, post, sent
from tests.factories.reviews import an_open_reading, reader_of

pytestmark = pytest.mark.django_db

LOOK: dict[str, Any] = {"index": 1, "name": "HARDER", "curve": "table"}


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
