"""A film whose file is gone says so to whoever asks for it, stops no reader, and is back once its file is."""

import logging

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.reviews.designs import ReaderStudyDesign
from deepmedix_review.reviews.selectors import next_reading
from deepmedix_review.reviews.study_services import give_case_back, take_next_case
from deepmedix_review.reviews.worklist.endings import ending_of_pool
from deepmedix_review.reviews.worklist.offers import reader_studies_of
from deepmedix_review.studies.models import Instance
from deepmedix_review.studies.storage import film_path, picture_path
from deepmedix_review.studies.tasks import tend_films
from tests.factories.accounts import AdminFactory, ExpertFactory
from tests.factories.reader_studies import a_draft, running, studies
from tests.factories.reviews import reader_study
from tests.factories.studies import store_phantom

pytestmark = pytest.mark.django_db


def desk_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def miss(film: Instance, desk: Client) -> str:
    """The film is asked for while its file is gone."""
    film_path(film).unlink(missing_ok=True)
    answer = desk.get(reverse("film", args=[film.uid]))
    assert (answer.status_code, answer["Cache-Control"]) == (410, "no-store")
    return str(answer.json()["detail"])


@pytest.mark.parametrize("is_unreadable", [False, True])
@pytest.mark.parametrize("server", ["django", "nginx"])
def test_a_film_without_its_file_is_said_to_be_missing_until_it_is_back(
    is_unreadable: bool, server: str, settings: object, caplog: pytest.LogCaptureFixture
) -> None:
    settings.FILM_SERVER = server  # type: ignore[attr-defined]
    film, desk = store_phantom(), desk_of(AdminFactory.create())
    store_phantom(seed=2)
    path = film_path(film)
    kept = path.rename(path.with_suffix(".kept"))
    if is_unreadable:
        path.mkdir()
    film_page, studies_page = reverse("study-detail", args=[film.study.uid]), reverse("study-list")

    with caplog.at_level(logging.ERROR, "deepmedix_review"):
        answer = desk.get(reverse("film", args=[film.uid]))
    assert (answer.status_code, answer["Cache-Control"]) == (410, "no-store")
    assert "missing or can't be read" in answer.json()["detail"]
    assert [record.getMessage() for record in caplog.records] == [
        f"a film is missing or can't be read in the film folder: {film.file_path}"
    ]
    assert "is missing from the film folder" in desk.get(studies_page).content.decode()
    assert f'Restore <span class="mono">{film.file_path}</span>' in desk.get(film_page).content.decode()

    if is_unreadable:
        path.rmdir()
    kept.rename(path)
    tend_films()
    assert desk.get(reverse("film", args=[film.uid])).status_code == 200
    assert "is missing from the film folder" not in desk.get(studies_page).content.decode()
    assert "Restore" not in desk.get(film_page).content.decode()


def test_a_small_picture_without_its_file_is_said_to_be_missing() -> None:
    film, desk = store_phantom(), desk_of(AdminFactory.create())
    picture_path(film).unlink()
    assert desk.get(reverse("film-picture", args=[film.uid])).status_code == 410
    assert desk.get(reverse("film", args=[film.uid])).status_code == 200


def test_a_folder_that_is_away_as_a_whole_makes_no_film_a_missing_one(settings: object) -> None:
    film, desk = store_phantom(), desk_of(AdminFactory.create())
    folder = settings.FILM_FOLDER  # type: ignore[attr-defined]
    settings.FILM_FOLDER = folder / "away"  # type: ignore[attr-defined]
    assert desk.get(reverse("film", args=[film.uid])).status_code == 410
    settings.FILM_FOLDER = folder  # type: ignore[attr-defined]
    film.refresh_from_db()
    assert film.file_missed_at is None


def test_a_reader_is_led_past_a_case_whose_film_is_missing() -> None:
    store_phantom()
    reader = ExpertFactory.create()
    study = reader_study(num_cases=3, readers=[reader])
    first, second, third = (each.readings.get() for each in reader.assignments.order_by("pk"))
    desk = desk_of(reader)
    miss(second.completion_a.instance, desk)
    assert next_reading(first) == third
    miss(first.completion_a.instance, desk)
    assert [one.next_case for one in reader_studies_of(reader)] == [third.assignment.uid]
    assert next_reading(third) is None
    page = desk.get(reverse("worklist")).content.decode()
    assert page.count("film missing") == 2
    assert study.title in page


def test_a_case_of_a_pool_whose_film_is_missing_is_given_back_and_not_offered_again() -> None:
    store_phantom()
    reader = ExpertFactory.create()
    design = ReaderStudyDesign(design="k_readers", readers_per_case=1, is_pool=True)
    pool = running(a_draft(studies=studies(2), readers=[reader], design=design))
    held = take_next_case(reader_study=pool, reader=reader)
    assert held is not None
    miss(held.completion_a.instance, desk_of(reader))
    assert ending_of_pool(pool, reader.pk).num_free == 1
    give_case_back(assignment=held.assignment, reader=reader)
    following = take_next_case(reader_study=pool, reader=reader)
    assert following is not None
    assert following.assignment.case != held.assignment.case
