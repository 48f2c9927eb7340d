"""Films that show no chest: what they are made of, and that the same seed gives the same."""

from collections.abc import Callable

import numpy as np
import pytest

from inference.canary_films import Grey, draw_blank, draw_hand, draw_without_chest, shuffle_film
from inference.phantoms import draw_phantom


def test_a_chest_in_pieces_has_all_of_its_grey_values_and_few_pieces_where_they_were() -> None:
    film = draw_phantom(seed=3).to_uint8()
    pieces = shuffle_film(film, seed=7)
    assert pieces.shape == film.shape
    assert (np.sort(pieces, axis=None) == np.sort(film, axis=None)).all()
    stayed = (pieces == film).reshape(8, 14, 8, 14).all(axis=(1, 3))
    assert stayed.sum() <= 8
    # What lies beside each other inside a piece stays so.
    corner = pieces[:14, :14]
    blocks = film.reshape(8, 14, 8, 14).swapaxes(1, 2).reshape(-1, 14, 14)
    assert any((corner == block).all() for block in blocks)


def test_a_side_that_is_no_multiple_of_the_pieces_loses_the_rest() -> None:
    assert shuffle_film(np.zeros((115, 120), np.uint8), seed=1).shape == (112, 120)


@pytest.mark.parametrize("draw", [draw_blank, draw_hand])
def test_the_same_seed_draws_the_same_and_another_seed_another(draw: Callable[..., Grey]) -> None:
    assert (draw(seed=1) == draw(seed=1)).all()
    assert (draw(seed=1) != draw(seed=2)).any()
    film = draw_phantom(seed=3).to_uint8()
    assert (shuffle_film(film, seed=1) == shuffle_film(film, seed=1)).all()
    assert (shuffle_film(film, seed=1) != shuffle_film(film, seed=2)).any()


def test_films_to_learn_from_without_a_chest_are_blank_hands_and_pieces_by_thirds() -> None:
    chest = draw_phantom(seed=3).to_uint8()
    kinds = []
    for seed in range(300):
        film = draw_without_chest(chest, seed=seed)
        assert film.shape == chest.shape
        if (film == draw_blank(seed=seed)).all():
            kinds.append("blank")
        elif (film == draw_hand(seed=seed)).all():
            kinds.append("hand")
        else:
            assert (np.sort(film, axis=None) == np.sort(chest, axis=None)).all()
            kinds.append("pieces")
    assert all(70 <= kinds.count(kind) <= 130 for kind in ("blank", "hand", "pieces"))
