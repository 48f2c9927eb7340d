"""A researcher who freezes leaves readers out and says why, and is told whom to look at first."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import QuerySet
from django.test import Client

from deepmedix_review.accounts.models import User
from deepmedix_review.feedback.models import PreferenceDataset
from deepmedix_review.feedback.services import freeze_dataset
from deepmedix_review.reviews.models import (
    AnswerRating,
    Assignment,
    ReaderStudy,
    Reading,
    RegionAnnotation,
    StepRating,
)
from deepmedix_review.reviews.results.dashboard import compute

pytestmark = pytest.mark.django_db


def test_a_researcher_leaves_out_a_reader_and_the_set_says_whom_and_why(
    study: ReaderStudy, researcher: User
) -> None:
    whole = freeze_dataset(title="All", actor=researcher)
    reader = whole.readings.first().reading.assignment.reader.pseudonym  # type: ignore[union-attr]
    client = Client()
    client.force_login(researcher)
    form = client.get("/data-sets/?choose").content.decode()
    assert f'value="{study.uid}" checked' in form
    assert "running: readings may still come or be amended" in form
    sent = {"title": "Without", "chooses": "1", "reader_study": [str(study.uid)], "without": [reader]}
    refused = client.post("/data-sets/", sent, follow=True).content.decode()
    assert f"Say why {reader} is left out" in refused
    answer = client.post("/data-sets/", {**sent, f"reason-{reader}": "clicks through"}, follow=True)
    page = answer.content.decode()
    assert "1 reading: clicks through" in page or "readings: clicks through" in page
    assert "Left out by who froze the set: clicks through" in page
    part = PreferenceDataset.objects.get(title="Without")
    top = page.partition("What it holds")[0]
    assert f'<span class="mono">{reader}</span> (clicks through). Nothing here counts them.' in top
    own = whole.readings.filter(reading__assignment__reader__pseudonym=reader).count()
    assert own > 0
    assert part.num_readings == whole.num_readings - own
    assert part.readers["left_out"] == [{"reader": reader, "reason": "clicks through", "num_readings": own}]
    assert {each["reader"] for each in part.readers["votes"]["readers"]}.isdisjoint({reader})
    assert "clicks through" in client.get(f"/data-sets/{part.uid}/card.md").content.decode()
    nothing = client.post("/data-sets/", {"title": "None", "chooses": "1"}, follow=True).content.decode()
    assert "Choose at least one reader study" in nothing
    by_program = client.post(
        "/api/data-sets/",
        {"title": "P", "reader_studies": [str(study.uid)], "left_out_readers": {reader: "clicks"}},
        content_type="application/json",
    )
    assert by_program.json()["sha256"] == part.sha256
    out = StringIO()
    call_command("freeze_dataset", "C", "--without", reader, "clicks", actor=researcher.username, stdout=out)
    assert part.sha256 in out.getvalue()


@contextmanager
def unlocked() -> Iterator[None]:
    """Signed readings are changed as if they had been signed so: the database's locks are off meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("SET session_replication_role = DEFAULT")


def turn_round(repeats: QuerySet[Reading]) -> None:
    """Every mark of these hidden repeats becomes the opposite of the first one."""
    for repeat in repeats:
        first = Reading.objects.get(assignment=repeat.assignment.repeat_of_id)
        for step in StepRating.objects.filter(reading=first):
            StepRating.objects.filter(reading=repeat, step=step.step_id).update(
                plausibility=6 - (step.plausibility or 0)
            )
        for answer in AnswerRating.objects.filter(reading=first):
            turned = {
                name: 6 - getattr(answer, name) for name in ("relevance", "correctness", "completeness")
            }
            AnswerRating.objects.filter(reading=repeat, completion=answer.completion_id).update(**turned)


def test_who_settles_what_others_dispute_is_held_against_no_whole_readings(study: ReaderStudy) -> None:
    readings = Reading.objects.filter(assignment__case__reader_study=study, signed_at__isnull=False)
    reader = readings.order_by("pk")[0].assignment.reader
    own = list(readings.filter(assignment__reader=reader).values_list("pk", flat=True))

    def said_of_reader() -> str:
        found = [caution for caution in compute(study).cautions if caution.reader == reader.pseudonym]
        return "; ".join(says for caution in found for says in caution.says)

    with unlocked():
        readings.update(active_seconds=90)
        Reading.objects.filter(pk__in=own).update(active_seconds=3)
        Reading.objects.filter(pk__in=own, assignment__kind=Assignment.Kind.REPEAT).update(signed_at=None)
        StepRating.objects.filter(reading__in=own).update(plausibility=4)
        AnswerRating.objects.filter(reading__in=own).update(relevance=4, correctness=4, completeness=4)
    assert "took 3 s a case" in said_of_reader()
    assert "gave the rating 4 and nothing else" in said_of_reader()
    with unlocked():
        first = Assignment.objects.filter(readings__in=own, kind=Assignment.Kind.FIRST)
        first.update(kind=Assignment.Kind.ADJUDICATION)
    assert said_of_reader() == ""


def test_a_reader_who_clicks_through_is_named_beside_what_the_clicks_were(
    study: ReaderStudy, researcher: User
) -> None:
    readings = Reading.objects.filter(assignment__case__reader_study=study, signed_at__isnull=False)
    reader = readings.order_by("pk").values_list("assignment__reader", flat=True)[0]
    own = readings.filter(assignment__reader=reader)
    guesser = readings.exclude(assignment__reader=reader).order_by("pk")[0].assignment.reader
    again = readings.filter(assignment__reader=guesser, assignment__kind="repeat")
    with unlocked():
        Reading.objects.filter(pk__in=[one.pk for one in readings]).update(active_seconds=90)
        StepRating.objects.filter(reading__in=own).update(plausibility=4)
        AnswerRating.objects.filter(reading__in=own).update(relevance=4, correctness=4, completeness=4)
        annotations = RegionAnnotation.objects.filter(reading__in=own)
        annotations.update(verdict="fits", x_min=None, y_min=None, x_max=None, y_max=None)
        Reading.objects.filter(pk__in=[one.pk for one in own]).update(active_seconds=3)
        turn_round(again)
    cautions = {caution.reader: caution for caution in compute(study).cautions}
    caution = cautions.pop(User.objects.get(pk=reader).pseudonym)
    [other] = cautions.values()
    assert other.reader == guesser.pseudonym
    assert other.says[0].startswith("rated hidden repeats no more alike than by chance: ")
    assert len(other.says) == 1
    reader_name = User.objects.get(pk=reader).pseudonym
    assert caution.reader == reader_name
    said = "; ".join(caution.says)
    assert "gave the rating 4 and nothing else" in said
    assert "took 3 s a case, where the others take 90 s, under a third of the " in said
    dataset = freeze_dataset(title="Clicked", actor=researcher)
    assert {row["reader"] for row in dataset.readers["cautions"]} == {caution.reader, other.reader}
    rated = dataset.readers["ratings"]["plausibility"]["readers"]
    told = next(row for row in rated if row["reader"] == caution.reader)
    assert (told["is_unvarying"], told["reliability"]) == (True, None)
    client = Client()
    client.force_login(researcher)
    for address in (
        f"/reader-studies/{study.uid}/results/",
        "/data-sets/?choose",
        "/data-sets/?cautions",
        f"/data-sets/{dataset.uid}/",
    ):
        page = client.get(address).content.decode()
        assert "gave the rating 4 and nothing else" in page
        assert other.says[0] in page
    assert page.index("To look at first:") < page.index("What it holds")
    # The list itself counts nothing of it.
    assert reader_name not in client.get("/data-sets/").content.decode()
