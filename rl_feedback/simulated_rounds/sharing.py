"""Which SIMULATED readers read which film: a few films are everybody's, to tell readers from films."""

from __future__ import annotations

from collections.abc import Sequence

# One film in so many readings is read by everybody.
READINGS_OF_A_SHARED_FILM = 50


def num_shared_films(num_readings: int) -> int:
    return num_readings // READINGS_OF_A_SHARED_FILM


def num_films_for(num_readings: int, *, num_readers: int, readers_per_film: int = 1) -> int:
    """How many films give so many readings.

    >>> num_films_for(300, num_readers=6), num_films_for(300, num_readers=6, readers_per_film=2)
    (270, 138)
    """
    shared = num_shared_films(num_readings)
    return shared + (num_readings - shared * num_readers) // readers_per_film


def readers_of_films(
    num_readings: int, *, num_readers: int, readers_per_film: int = 1
) -> Sequence[Sequence[int]]:
    """Of each film the places of its readers: the first films are everybody's, the others go round.

    >>> [len(readers) for readers in readers_of_films(60, num_readers=6)][:3]
    [6, 1, 1]
    """
    shared = num_shared_films(num_readings)
    others = num_films_for(num_readings, num_readers=num_readers, readers_per_film=readers_per_film) - shared
    return [
        *([*range(num_readers)] for _ in range(shared)),
        *(
            [(film * readers_per_film + place) % num_readers for place in range(readers_per_film)]
            for film in range(others)
        ),
    ]
