"""The outputs that readings showed, with their steps and regions, as columns of numbers."""

from functools import cached_property

import numpy as np

from deepmedix_review.reviews.results.columns import (
    Keys,
    Numbers,
    distinct,
    in_order,
    near,
    places_of,
    read_columns,
)
from deepmedix_review.reviews.results.readings import Readings

# What of a pixel still travels, of the edge of a region.
PARTS_OF_A_PIXEL = 100

STEPS = "SELECT id AS c0, completion_id AS c1 FROM reasoning_reasoningstep"
REGIONS = "SELECT id AS c0, step_id AS c1 FROM reasoning_region"
EDGES = ", ".join(
    f"{PARTS_OF_A_PIXEL} * {edge} AS c{place}"
    for place, edge in enumerate(("x_min", "y_min", "x_max", "y_max"), start=1)
)
SIZES = "SELECT id AS c0, image_width AS c1, image_height AS c2 FROM reasoning_completion"


class Shown:
    """Each table is read once, when it is first asked for, and by itself: a join takes twice as long. Once
    loaded, only `edges_of` asks the database."""

    def __init__(self, readings: Readings) -> None:
        shown, _ = distinct(np.concatenate([readings.completion_a, readings.completion_b]))
        self.completions: Keys = shown[shown > 0]

    def load(self) -> None:
        """Reads all steps and regions."""
        _ = self.regions

    @cached_property
    def steps(self) -> tuple[Keys, Keys]:
        """Their steps, ascending, and the completion of each."""
        return _owned(f"{STEPS} WHERE {near('completion_id', self.completions)}", self.completions)

    @cached_property
    def regions(self) -> tuple[Keys, Keys]:
        """Their regions, ascending, and the step of each."""
        steps, _ = self.steps
        return _owned(f"{REGIONS} WHERE {near('step_id', steps)}", steps)

    def completions_of_steps(self, steps: Keys) -> Keys:
        """0 for what is gone."""
        return _owners(steps, *self.steps)

    def completions_of_regions(self, regions: Keys) -> Keys:
        """0 for what is gone."""
        return self.completions_of_steps(_owners(regions, *self.regions))

    def counts(self) -> tuple[Keys, Keys]:
        """Of each of `completions` how many steps and how many regions it has."""
        of_steps, of_regions = self.steps[1], self.completions_of_steps(self.regions[1])
        steps, regions = (
            np.bincount(places_of(owners, self.completions)[1], minlength=len(self.completions))
            for owners in (of_steps, of_regions)
        )
        return steps, regions

    def edges_of(self, regions: Keys) -> Numbers:
        """x_min, y_min, x_max, y_max of these ascending regions as shares of the film, from 0 to 1; 0 for
        what is gone."""
        completions, width, height = read_columns(
            f"{SIZES} WHERE {near('id', self.completions)}", num_columns=3
        )
        order = in_order(completions)
        has_size, at = places_of(self.completions_of_regions(regions), completions[order])
        size = np.ones((len(regions), 4))
        size[has_size] = np.stack([width, height, width, height], axis=1)[order][at]
        found, *edges = read_columns(
            f"SELECT id AS c0, {EDGES} FROM reasoning_region WHERE {near('id', regions)}", num_columns=5
        )
        is_wanted, place = places_of(found, regions)
        shares = np.zeros((len(regions), 4))
        shares[place] = np.stack(edges, axis=1)[is_wanted] / PARTS_OF_A_PIXEL
        return np.asarray(np.clip(shares / size, 0.0, 1.0))


def _owned(query: str, owners: Keys) -> tuple[Keys, Keys]:
    """The rows of these owners, by ascending key, and the owner of each."""
    keys, owner = read_columns(query, num_columns=2)
    is_owned, _ = places_of(owner, owners)
    keys, owner = keys[is_owned], owner[is_owned]
    order = in_order(keys)
    return keys[order], owner[order]


def _owners(wanted: Keys, keys: Keys, owner: Keys) -> Keys:
    """The owner of each wanted key, 0 where it is not among the ascending keys."""
    found, place = places_of(wanted, keys)
    owners = np.zeros(len(wanted), dtype=np.int64)
    owners[found] = owner[place]
    return owners
