"""Which films and models the design page offers, and what it says of them before they are read."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.reasoning.models import InferenceBatch, InferenceJob
from deepmedix_review.reasoning.tasks import ask_batch
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import serving_model
from deepmedix_review.reviews.designing import cases as design_cases
from deepmedix_review.reviews.designing.cautions import MOST_NAMED, of_known_films
from deepmedix_review.reviews.models import Case, ReaderStudy, Reading
from deepmedix_review.reviews.services import mark_opened
from deepmedix_review.studies.models import Study
from tests.deepmedix_review.reviews.designing.a_form import NEW, form, uids
from tests.factories.accounts import ExpertFactory
from tests.factories.reasoning import say
from tests.factories.registry import ModelVersionFactory
from tests.factories.reviews import HEART, LUNGS, an_open_reading, complete, completed_study, reader_of, sign

pytestmark = pytest.mark.django_db


def test_another_model_loses_nothing_that_was_entered(admin: Client) -> None:
    study, reader = completed_study(), ExpertFactory.create()
    former = serving_model()
    ModelVersion.objects.filter(pk=former.pk).update(state=ModelVersion.State.RETIRED)
    serving = ModelVersionFactory.create(state=ModelVersion.State.SERVING)
    page = admin.get(NEW).content.decode()
    assert f"{former} · 1 study" in page
    assert "No ready study has what is to be shown." in page
    assert f"Ask {serving} about all ready studies" in page
    # A version that has completed nothing can be chosen, and asked.
    other = ModelVersionFactory.create()
    asks = form(action="ask", shows="two_versions", version=str(former.uid), other_version=str(other.uid))
    asked = admin.post(NEW, asks).content.decode()
    assert f"{other} · 0 studies: ask it first" in asked
    assert f"Ask {former} and {other} about all ready studies" in asked
    assert f"{former} has been asked about every ready study already." in asked
    assert f"{other} is asked for two completions of every ready study that lacks them." in asked
    assert f"{other} is at work: 0 of 0 completions are there, more are being asked for" in asked
    ask_batch(InferenceBatch.objects.get().pk)
    assert {job.model_version for job in InferenceJob.objects.all()} == {other}
    said = form(version=str(former.uid), readers=uids(reader), instructions="Read all", studies=uids(study))
    page = admin.post(NEW, said | {"version": ""}).content.decode()
    for kept in ('value="Winter films"', "Read all</textarea>", "lacks what is to be shown"):
        assert kept in page
    assert re.search(rf'value="{reader.uid}" checked', page)
    assert re.search(rf'value="{study.uid}" checked', page)
    page = admin.post(NEW, said).content.decode()
    assert "lacks what is to be shown" not in page
    admin.post(NEW, said | {"action": "start"})
    reading = Reading.objects.get()
    assert reading.completion_a.model_version == former


def test_two_models_side_by_side_need_both_on_one_film(admin: Client) -> None:
    both, one = completed_study(), completed_study()
    other = ModelVersionFactory.create()
    instance = both.series.get().instances.get()
    say(instance, steps=[HEART, LUNGS], model_version=other)
    said = form(
        shows="two_versions",
        version=str(serving_model().uid),
        other_version=str(other.uid),
        cases_from="all",
        readers=uids(ExpertFactory.create()),
    )
    page = admin.post(NEW, said).content.decode()
    assert "1 ready study has what is to be shown." in page
    assert both.label in page
    assert one.label not in page
    # The other version may be chosen last: until then nothing that was chosen falls out.
    page = admin.post(NEW, said | {"other_version": ""}).content.decode()
    assert "2 ready studies have an answer of the first version." in page
    admin.post(NEW, said | {"other_version": "", "action": "start"})
    draft = ReaderStudy.objects.get()
    assert set(draft.cases.values_list("study", flat=True)) == {both.pk, one.pk}
    draft.delete()
    admin.post(NEW, said | {"action": "start"})
    reading = Reading.objects.get()
    shown = {reading.completion_a.model_version, reading.completion_b.model_version}  # type: ignore[union-attr]
    assert shown == {serving_model(), other}


def test_cases_come_from_everything_or_from_an_import_and_a_search_narrows_the_list(admin: Client) -> None:
    studies = [completed_study() for _ in range(3)]
    page = admin.post(NEW, form(search=studies[0].label, studies=uids(studies[1]))).content.decode()
    assert studies[0].label in page
    assert studies[1].label in page
    assert studies[2].label not in page
    page = admin.post(NEW, form(action="choose-shown", search=studies[0].label)).content.decode()
    assert re.findall(r'name="studies" value="([^"]*)" checked', page) == uids(studies[0])
    page = admin.post(NEW, form(action="choose-none", studies=uids(*studies))).content.decode()
    assert 'name="studies"' in page
    assert not re.search(r'name="studies"[^>]* checked', page)
    admin.post(NEW, form(cases_from="all", action="save"))
    drafted = Case.objects.filter(reader_study=ReaderStudy.objects.get()).order_by("position")
    assert [case.study for case in drafted] == studies


def test_a_long_draft_is_kept_whole_without_listing_it(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(design_cases, "MOST_LISTED", 2)
    for _ in range(3):
        completed_study()
    admin.post(NEW, form(cases_from="all", action="save"))
    draft = ReaderStudy.objects.get()
    address = reverse("reader-study-design", args=[draft.uid])
    page = admin.get(address).content.decode()
    assert "The 3 of this draft" in page
    admin.post(address, form(cases_from="keep", title="Anew", action="save"))
    draft.refresh_from_db()
    assert (draft.title, draft.cases.count()) == ("Anew", 3)


def test_the_page_takes_as_many_queries_however_many_studies(
    admin: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(2):
        completed_study()
    ExpertFactory.create()
    with django_assert_max_num_queries(23):
        admin.get(NEW)
    for _ in range(4):
        completed_study()
        ExpertFactory.create()
    everything = uids(*Study.objects.all())
    with django_assert_max_num_queries(23):
        admin.get(NEW)
    with django_assert_max_num_queries(17):
        admin.post(reverse("reader-study-plan"), form(studies=everything))


@pytest.mark.parametrize("cases_from", ["chosen", "all"])
def test_a_model_of_drawn_films_is_called_so_where_a_case_is_a_real_one(
    admin: Client, cases_from: str
) -> None:
    sent = form(studies=uids(completed_study(), completed_study()), cases_from=cases_from)
    sentence = "has learned from drawn films only: what it says of a real film means nothing."
    assert sentence not in admin.post(reverse("reader-study-plan"), sent).content.decode()
    Study.objects.filter(pk=Study.objects.earliest("pk").pk).update(is_phantom=False)
    assert sentence in admin.post(reverse("reader-study-plan"), sent).content.decode()


def test_who_has_read_a_film_before_is_named_before_reading_it_again(admin: Client) -> None:
    reading = an_open_reading()
    reader, case = reader_of(reading), reading.assignment.case
    sent = form(studies=uids(case.study, completed_study()), readers=uids(reader, ExpertFactory.create()))
    told = f"{reader.pseudonym} has seen 1 of these films in another reader study"

    def page() -> str:
        return admin.post(reverse("reader-study-plan"), sent).content.decode()

    assert told not in page()
    mark_opened(reading, reader=reader)
    assert f"{told}. They read these with another eye" in page()
    complete(reading)
    sign(reading)
    Case.objects.filter(pk=case.pk).update(role=Case.Role.TRAINING)
    assert f"{told}, and what is known of 1 was shown after it." in page()


@pytest.mark.parametrize(
    ("num_readers", "rest"), [(6, "So has 1 more reader."), (7, "So have 2 more readers.")]
)
def test_of_many_who_have_read_a_film_before_the_first_are_named(num_readers: int, rest: str) -> None:
    readers = []
    for _ in range(num_readers):
        reading = an_open_reading()
        readers.append(reader_of(reading))
        mark_opened(reading, reader=readers[-1])
    [said] = of_known_films(Study.objects.all(), readers)
    assert said.count(" has seen 1 of these films") == MOST_NAMED
    assert f"{rest} They read these with another eye" in said


def test_asking_the_model_loses_nothing_that_was_entered(admin: Client) -> None:
    study = completed_study()
    page = admin.post(NEW, form(studies=uids(study), action="ask", instructions="Kept")).content.decode()
    assert "Kept</textarea>" in page
    assert re.search(rf'value="{study.uid}" checked', page)
    untitled = admin.post(NEW, form(action="ask", title="")).content.decode()
    assert "Enter a title." not in untitled
    assert "Enter a title." in admin.post(NEW, form(action="save", title="")).content.decode()
    ModelVersion.objects.update(state=ModelVersion.State.RETIRED)
    page = admin.post(NEW, form(action="ask", instructions="Kept")).content.decode()
    assert "No model serves yet." in page
    assert "Kept</textarea>" in page


def test_studies_that_nobody_looked_at_are_counted_and_can_not_start(admin: Client) -> None:
    study, other, reader = completed_study(), completed_study(), ExpertFactory.create()
    said = form(studies=uids(study, other), readers=uids(reader))
    assert "not looked at" not in admin.get(NEW).content.decode()
    admin.post(NEW, said | {"action": "save"})
    Study.objects.filter(pk=other.pk).update(state=Study.State.UNSEEN)
    page = admin.get(NEW).content.decode()
    assert "1 study was not looked at and can be no case yet" in page
    assert f'href="{reverse("study-look")}"' in page
    draft = ReaderStudy.objects.get()
    design = reverse("reader-study-design", args=[draft.uid])
    page = admin.post(design, said | {"action": "start"}, follow=True).content.decode()
    assert f"Nobody has looked yet whether a name is written on {other.label}." in page
    draft.refresh_from_db()
    assert draft.state == ReaderStudy.State.DRAFT
    Study.objects.filter(pk=other.pk).update(state=Study.State.READY)
    admin.post(design, said | {"action": "start"})
    draft.refresh_from_db()
    assert draft.state == ReaderStudy.State.RUNNING
