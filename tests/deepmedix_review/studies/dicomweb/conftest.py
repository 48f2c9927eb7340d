"""A film over DICOMweb, and an admin who fetches it."""

from copy import deepcopy
from pathlib import Path

import pytest

from deepmedix_review.accounts.models import User
from deepmedix_review.studies.models import Instance
from deepmedix_review.studies.selectors import film_path, picture_path
from tests.deepmedix_review.studies.dicomweb.the_service import SIZE
from tests.factories.accounts import AdminFactory
from tests.factories.studies import store_phantom

_kept: list[tuple[Instance, bytes, bytes]] = []


@pytest.fixture
def film(film_folder: Path) -> Instance:
    """Received by the first test; the others get its rows and files again."""
    if not _kept:
        film = store_phantom(size=SIZE)
        _kept.append((deepcopy(film), film_path(film).read_bytes(), picture_path(film).read_bytes()))
        return film
    film, content, picture = deepcopy(_kept[0])
    for row in (film.study, film.series, film):
        row.save(force_insert=True)
    film_path(film).parent.mkdir(parents=True)
    film_path(film).write_bytes(content)
    picture_path(film).write_bytes(picture)
    return film


@pytest.fixture
def admin() -> User:
    admin: User = AdminFactory.create()
    return admin
