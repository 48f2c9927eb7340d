"""The room is told what each step and answer names, so that it can say what an answer still says."""

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.reviews.reading.named_findings import NamedFinding, findings_named
from tests.factories.reviews import an_open_reading, reader_of


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("A left nodule with [1, 2, 3, 4].", [NamedFinding("Nodule", ("left",), "nodule")]),
        ("The heart is enlarged", [NamedFinding("Cardiomegaly", (), "heart is enlarged")]),
        ("No effusion, perhaps a nodule; clear lungs.", []),
        ("no acute finding", []),
        ("", []),
    ],
)
def test_what_a_sentence_says_outright_is_there_is_named_in_its_own_words(
    text: str, named: list[NamedFinding]
) -> None:
    assert list(findings_named(text)) == named


@pytest.mark.django_db
def test_a_reading_says_of_each_step_and_answer_what_it_names() -> None:
    reading = an_open_reading(num_completions=1)
    client = Client()
    client.force_login(reader_of(reading))
    [shown] = client.get(reverse("api-reading", args=[reading.uid])).json()["completions"]
    heart = {"finding": "Cardiomegaly", "sides": [], "words": "heart is enlarged"}
    assert [step["names"] for step in shown["steps"]] == [[heart], []]
    assert shown["answer_names"] == [{**heart, "words": "cardiomegaly"}]
