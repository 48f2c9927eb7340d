"""Cases of big films that a reader has rated and not signed yet."""

from typing import Any


def readings_of_films(side: int, *, num_films: int) -> tuple[list[Any], bytes]:
    """One reading a film, in order, and the first film's pixels. The last reading is not rated."""
    import pydicom

    from deepmedix_review.reviews.models import Reading
    from deepmedix_review.reviews.study_services import create_reader_study
    from deepmedix_review.studies.selectors import film_path
    from tests.factories.accounts import ExpertFactory
    from tests.factories.reasoning import say
    from tests.factories.registry import ServingModelFactory
    from tests.factories.reviews import complete
    from tests.factories.studies import store_phantom

    version = ServingModelFactory.create()
    films = [store_phantom(seed=side + number, size=side) for number in range(num_films)]
    box = (side * 0.3, side * 0.5, side * 0.7, side * 0.8)
    for film in films:
        say(film, steps=[("The heart is enlarged.", [box])] * 5, answer="cardiomegaly", model_version=version)
    reader = ExpertFactory.create()
    studies = [film.study for film in films]
    create_reader_study(title=f"{side} pixels", studies=studies, readers=[reader], actor=None, seed=1)
    readings = list(Reading.objects.filter(assignment__reader=reader).order_by("assignment__position"))
    for reading in readings[:-1]:
        complete(reading)
    return readings, pydicom.dcmread(film_path(films[0])).pixel_array.astype("<u2").tobytes()
