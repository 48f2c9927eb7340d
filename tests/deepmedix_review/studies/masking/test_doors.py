"""Text is overwritten by page and API alike: for admins, told in sentences, and nobody gets the original."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.accounts.tokens import make_token
from deepmedix_review.studies.holding import hold_study
from deepmedix_review.studies.looking.services import report_name
from deepmedix_review.studies.models import Instance, Study, TextMasking
from deepmedix_review.studies.storage import film_path, picture_path
from deepmedix_review.studies.tasks import run_masking
from inference.images import render_reference
from tests.deepmedix_review.studies.masking.a_masking import film_with_text, inside, masked, values
from tests.factories.accounts import AdminFactory, ExpertFactory, ResearcherFactory, UserFactory
from tests.factories.studies import receive, write_film

pytestmark = pytest.mark.django_db
EXPLICIT = "1.2.840.10008.1.2.1"
BOXES = [
    {"x_min": 2, "y_min": 3, "x_max": 40, "y_max": 12},
    {"x_min": 30, "y_min": 8, "x_max": 60, "y_max": 20},
    {"x_min": 70, "y_min": 90, "x_max": 96, "y_max": 96},
]
ACCEPT = {"boxes": BOXES, "accept": True, "looked": True}


@pytest.fixture
def admin() -> User:
    return AdminFactory.create()


@pytest.fixture
def desk(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def film(tmp_path: Path) -> Instance:
    return film_with_text(tmp_path / "film.dcm")


def api(film: Instance) -> str:
    return reverse("api-film-masking", args=[film.uid])


def post(client: Client, film: Instance, body: dict[str, Any]) -> Any:
    return client.post(api(film), body, content_type="application/json")


def test_a_program_asks_and_is_told_what_became_of_it(desk: Client, film: Instance) -> None:
    assert desk.get(api(film)).status_code == 404
    answer = post(desk, film, ACCEPT)
    assert answer.status_code == 202
    told = answer.json()
    assert (told["state"], told["boxes"], told["is_to_accept"]) == ("queued", BOXES, True)
    assert (told["film"], told["study"]) == (str(film.uid), str(film.study.uid))
    run_masking(TextMasking.objects.get().pk)
    told = desk.get(api(film)).json()
    assert (told["state"], told["is_original_deleted"], told["outcome"]) == ("done", True, "")
    study = desk.get(reverse("api-study-detail", args=[film.study.uid])).json()
    assert (study["state"], study["films"][0]["is_masked"]) == ("ready", True)


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"boxes": []}, 409, "There is no box"),
        ({"boxes": [BOXES[0] | {"x_max": 97}]}, 409, "reaches outside of the film"),
        ({"boxes": [BOXES[0] | {"x_max": 10**30}]}, 409, "reaches outside of the film"),
        ({"boxes": [BOXES[0] | {"x_max": 2}]}, 409, "has no size"),
        ({"boxes": BOXES * 17}, 409, "There are 51 boxes"),
        ({"boxes": [{"x_min": 0, "y_min": 0, "x_max": 96, "y_max": 96}]}, 409, "cover the whole film"),
        ({"boxes": BOXES, "accept": True}, 409, "look at all of its films"),
        ({"boxes": [{"x_min": 1.5, "y_min": 0, "x_max": 9, "y_max": 9}]}, 400, "integer"),
        ({"boxes": "all"}, 400, "list of items"),
        ({}, 400, "required"),
    ],
)
def test_bad_boxes_are_refused_by_a_sentence(
    desk: Client, film: Instance, body: dict[str, Any], status: int, told: str
) -> None:
    answer = post(desk, film, body)
    assert (answer.status_code, told in answer.content.decode()) == (status, True), answer.content
    assert not TextMasking.objects.exists()
    assert Study.objects.get().state == Study.State.UNSEEN


@pytest.mark.parametrize(
    ("factory", "page", "status"),
    [(AdminFactory, 302, 202), (ResearcherFactory, 403, 403), (ExpertFactory, 403, 403), (None, 302, 401)],
)
def test_admins_alone_mask(factory: type[UserFactory] | None, page: int, status: int, tmp_path: Path) -> None:
    client = Client()
    if factory is not None:
        client.force_login(factory.create())
    films = [film_with_text(tmp_path / f"{seed}.dcm", seed=seed) for seed in (1, 2)]
    assert post(client, films[0], ACCEPT).status_code == status
    sent = {edge: [box[edge] for box in BOXES] for edge in BOXES[0]}
    answer = client.post(
        reverse("film-mask", args=[films[1].uid]), sent | {"decision": "accept", "looked": "yes"}
    )
    assert answer.status_code == page
    assert TextMasking.objects.count() == (2 if factory is AdminFactory else 0)


def test_a_token_needs_the_scope_of_deciding(admin: User, film: Instance) -> None:
    for scopes, status in (
        ([Capability.VIEW_ALL_STUDIES], 403),
        ([Capability.VIEW_ALL_STUDIES, Capability.DECIDE_HELD_STUDIES], 202),
    ):
        _, token = make_token(account=admin, name=f"of {len(scopes)}", scopes=scopes, days=7)
        answer = Client(headers={"Authorization": f"Bearer {token}"}).post(
            api(film), ACCEPT, content_type="application/json"
        )
        assert answer.status_code == status


def test_the_page_keeps_what_it_refuses_and_says_how_a_masking_goes_on(
    desk: Client, admin: User, film: Instance
) -> None:
    page = reverse("film-mask", args=[film.uid])
    sent = {
        "x_min": ["1", "", "3"],
        "y_min": ["1", "", "3"],
        "x_max": ["5", "", "zwei"],
        "y_max": ["5", "", "9"],
    }
    answer = desk.post(page, sent | {"decision": "later"})
    assert answer.status_code == 409
    told = answer.content.decode()
    assert "Box 2 needs four whole numbers" in told
    assert 'value="zwei"' in told
    sent["x_max"][2] = "9"
    assert desk.post(page, sent | {"decision": "later"}).status_code == 302
    waiting = desk.get(page).content.decode()
    assert "2 boxes wait for a worker." in waiting
    assert "data-mask-film" not in waiting
    polled = desk.get(page, headers={"HX-Request": "true"})
    assert "HX-Refresh" not in polled.headers
    run_masking(TextMasking.objects.get().pk)
    assert desk.get(page, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    done = desk.get(page).content.decode()
    assert "2 boxes overwritten <time" in done
    assert f"by {admin.pseudonym}." in done
    assert "The study is not decided on" in done


def test_one_that_failed_offers_its_boxes_again(desk: Client, admin: User, film: Instance) -> None:
    whole = film_path(film).read_bytes()
    film_path(film).write_bytes(whole[:3000])
    masked(film, admin)
    film_path(film).write_bytes(whole)
    page = desk.get(reverse("film-mask", args=[film.uid])).content.decode()
    assert "The text was not overwritten." in page
    assert 'name="x_max" min="0" max="96" step="1" inputmode="numeric" autocomplete="off" value="40"' in page
    film_path(film).unlink()
    page = desk.get(reverse("film-mask", args=[film.uid])).content.decode()
    assert "Its file is missing, so nothing can be overwritten." in page
    assert "data-mask-film" not in page


def test_the_page_names_films_that_show_the_same_text(
    desk: Client, admin: User, film: Instance, tmp_path: Path
) -> None:
    copy = receive(write_film(tmp_path / "copy.dcm", BurnedInAnnotation=None, PatientID="other")).instance
    assert copy is not None
    masked(film, admin)
    page = desk.get(reverse("film-mask", args=[film.uid])).content.decode()
    assert "The same picture is here under other tags, with its text." in page
    assert copy.study.label in page
    masked(copy, admin, accept=False)
    page = desk.get(reverse("film-mask", args=[film.uid])).content.decode()
    assert "under other tags" not in page


def test_what_a_reader_reported_and_what_is_held_for_a_name_lead_to_the_boxes(
    desk: Client, admin: User, film: Instance
) -> None:
    mask, study = reverse("film-mask", args=[film.uid]), film.study
    assert mask not in desk.get(reverse("study-look")).content.decode()
    report_name(film=film, reader=ExpertFactory.create(), change_id=film.uid)
    assert mask in desk.get(reverse("study-look")).content.decode()
    hold_study(study, reason="A name is on it.", actor=admin, names_seen_by=admin)
    assert mask in desk.get(reverse("study-held")).content.decode()
    Study.objects.update(held_for="blank")
    assert mask not in desk.get(reverse("study-held")).content.decode()


def test_every_door_gives_the_film_without_the_text(
    desk: Client, admin: User, film: Instance, tmp_path: Path
) -> None:
    original, small = film_path(film).read_bytes(), picture_path(film).read_bytes()
    etag = desk.get(reverse("film", args=[film.uid]))["ETag"]
    masked(film, admin)
    again = desk.get(reverse("film", args=[film.uid]), headers={"If-None-Match": etag})
    assert again.status_code == 200
    assert again.getvalue() == film_path(film).read_bytes() != original
    picture = desk.get(reverse("film-picture", args=[film.uid]))
    assert picture.getvalue() == picture_path(film).read_bytes() != small
    study, series = film.study.study_instance_uid, film.series.series_instance_uid
    at = f"/dicom-web/studies/{study}/series/{series}/instances/{film.sop_instance_uid}"
    native = desk.get(
        f"{at}/frames/1",
        headers={"Accept": f'multipart/related; type="application/octet-stream"; transfer-syntax={EXPLICIT}'},
    )
    assert values(film).astype("<u2").tobytes() in native.getvalue()
    metadata = desk.get(f"{at}/metadata", headers={"Accept": "application/dicom+json"})
    told = json.loads(metadata.getvalue())[0]
    assert told["00280301"]["Value"] == ["NO"]
    codes = [code["00080100"]["Value"][0] for code in told["00120064"]["Value"]]
    assert codes[-1] == "113101"
    # What a model is given.
    assert render_reference(film_path(film))[inside((96, 96))].max() == 0
