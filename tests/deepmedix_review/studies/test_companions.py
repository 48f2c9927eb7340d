"""The films beside the one that is read: the study's others, and the patient's earlier ones."""

from datetime import date
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import Q
from django.http import Http404
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from deepmedix_review.accounts.models import User
from deepmedix_review.studies import selectors
from deepmedix_review.studies.models import Study
from deepmedix_review.studies.selectors import companion_films, film_for, others_of_patient
from deepmedix_review.studies.serializers import CompanionFilmSerializer
from inference.phantom_dicom import FilmEncoding, Visit, write_phantom_dicom
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory
from tests.factories.studies import InstanceFactory, StudyFactory, receive, store_phantom

pytestmark = pytest.mark.django_db

PLAIN = FilmEncoding(bits_stored=12)


def a_study(day: int | None, *, patient: str = "P-ONE", state: str = "ready") -> Study:
    """A study with one film of one PA view, made on a day of March."""
    study = StudyFactory.create(
        patient_pseudonym=patient, state=state, study_date=date(2001, 3, day) if day else None
    )
    InstanceFactory.create(series__study=study)
    return study


def test_a_study_that_comes_in_keeps_when_it_was_and_its_other_films(tmp_path: Path) -> None:
    visits = (
        Visit(study_date=date(2026, 5, 20)),
        Visit(study_date=date(2026, 5, 20), take=1, view_position="AP"),
        Visit(study_date=date(2026, 2, 9), is_earlier=True),
    )
    films = []
    for visit in visits:
        path = tmp_path / "film.dcm"
        write_phantom_dicom(path, seed=4, size=96, encoding=PLAIN, visit=visit)
        item = receive(path)
        assert item.instance is not None, item.reason
        films.append(item.instance)
    study, earlier = films[0].study, films[2].study
    assert films[1].study == study != earlier
    assert study.study_date is not None
    assert earlier.study_date is not None
    assert (study.study_date - earlier.study_date).days == 100
    assert study.study_date < date(2026, 5, 20)

    companions = companion_films(study)
    assert [(each.uid, each.role, each.days_before) for each in companions] == [
        (films[1].uid, "same_study", 0),
        (films[2].uid, "prior", 100),
    ]
    assert companions[0].view_position == "AP"
    beside_the_second = companion_films(study, beside=films[1])
    assert [each.uid for each in beside_the_second] == [films[0].uid, films[2].uid]
    assert companion_films(earlier) == ()
    told = CompanionFilmSerializer(companions[1]).data
    assert told["film_url"].endswith(f"/{films[2].uid}/film/")
    assert (told["rows"], told["days_before"]) == (96, 100)


def test_studies_from_before_dates_were_kept_get_them_from_their_films(tmp_path: Path) -> None:
    study = store_phantom().study
    kept, study.study_date = study.study_date, None
    study.save()
    absent = a_study(None)
    migration = import_module("deepmedix_review.studies.migrations.0003_read_study_dates")
    migration.read_dates(apps, None)
    study.refresh_from_db()
    absent.refresh_from_db()
    assert study.study_date == kept is not None
    assert absent.study_date is None


def test_priors_are_earlier_ready_studies_of_the_patient_newest_first(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    study = a_study(20)
    for day in (3, 18, 11):
        a_study(day)
    for not_earlier in (20, 27, None):
        a_study(not_earlier)
    a_study(5, patient="P-TWO")
    a_study(6, state="held")
    a_study(7, state="rejected")
    with django_assert_max_num_queries(3):
        companions = companion_films(study)
    assert [each.days_before for each in companions] == [2, 9, 17]
    assert companion_films(a_study(None)) == ()


def test_the_newest_priors_are_given_where_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "MAX_PRIOR_FILMS", 2)
    study = a_study(20)
    for day in (1, 2, 3):
        a_study(day)
    assert [each.days_before for each in companion_films(study)] == [17, 18]


def test_a_lateral_comes_after_the_frontal_views_of_its_study() -> None:
    study, earlier = a_study(20), a_study(10)
    series = earlier.series.get()
    InstanceFactory.create(series=series, view_position="LL")
    InstanceFactory.create(series=series, view_position="AP")
    InstanceFactory.create(series=study.series.get(), view_position="LL")
    views = [(each.role, each.view_position) for each in companion_films(study)]
    assert views == [("same_study", "LL"), ("prior", "PA"), ("prior", "AP"), ("prior", "LL")]


def test_a_reader_of_a_case_sees_its_priors_and_nothing_later(monkeypatch: pytest.MonkeyPatch) -> None:
    case = a_study(20)
    prior, later, same_day, undated = a_study(10), a_study(25), a_study(20), a_study(None)
    held, other = a_study(10, state="held"), a_study(10, patient="P-TWO")
    reader = ExpertFactory.create()

    def granted(user: User) -> Q:
        return Q(pk=case.pk) if user == reader else Q(pk__in=())

    monkeypatch.setattr(selectors, "READER_ACCESS", [granted])

    def sees(user: User, study: Study) -> bool:
        film = study.series.get().instances.get()
        try:
            return film_for(user, film.uid) == film
        except Http404:
            return False

    assert [sees(reader, study) for study in (case, prior)] == [True, True]
    assert [sees(reader, study) for study in (later, same_day, undated, held, other)] == [False] * 5
    assert not any(sees(ExpertFactory.create(), study) for study in (case, prior))
    assert all(sees(AdminFactory.create(), study) for study in (case, prior, held, other))
    assert sees(ResearcherFactory.create(), other)
    assert not sees(ResearcherFactory.create(), held)

    case.state = Study.State.HELD
    case.save()
    assert [sees(reader, study) for study in (case, prior)] == [False, False]


def test_a_studys_page_leads_to_what_else_its_viewer_may_see_of_the_patient() -> None:
    study, earlier, undated = a_study(5), a_study(3), a_study(None)
    held, _ = a_study(9, state="held"), a_study(5, patient="P-TWO")

    def told(user: User) -> dict[str, str]:
        return {one.study.label: one.when for one in others_of_patient(user, study)}

    seen = {earlier.label: "2 days earlier", undated.label: "no date"}
    assert told(ResearcherFactory.create()) == seen
    assert told(AdminFactory.create()) == seen | {held.label: "4 days later"}
    desk = Client()
    desk.force_login(AdminFactory.create())
    page = desk.get(reverse("study-detail", args=[study.uid])).content.decode()
    assert f'{reverse("study-detail", args=[earlier.uid])}">{earlier.label}</a> 2 days earlier' in page
    assert f"{held.label}</a> 4 days later (held)" in page
