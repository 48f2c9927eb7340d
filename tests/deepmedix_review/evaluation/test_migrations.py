"""Runs of the arena that were made before a judge could be of three kinds say of which theirs is."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from deepmedix_review.evaluation.models import ArenaRun
from tests.factories.accounts import ResearcherFactory
from tests.factories.arena import URL


def migrate(name: str = "") -> Any:
    """The apps as they are at that migration of this one, or all at their last."""
    executor = MigrationExecutor(connection)
    target = [("evaluation", name)] if name else executor.loader.graph.leaf_nodes()
    executor.migrate(target)
    return executor.loader.project_state(target).apps


@pytest.fixture
def before(transactional_db: None) -> Iterator[Any]:
    yield migrate("0011_green_by_a_judge")
    migrate()


def test_runs_with_a_server_and_runs_without_a_judge_are_told_apart(before: Any) -> None:
    made = {"prompt_version": "arena-1", "num_wanted": 1, "requested_by_id": ResearcherFactory.create().pk}
    runs = before.get_model("evaluation", "ArenaRun").objects
    runs.create(title="server", endpoint_url=URL, served_model="judge", **made)
    runs.create(title="experts", **made)
    migrate()
    told = dict(ArenaRun.objects.values_list("title", "judged_by"))
    assert told == {"server": "server", "experts": "experts"}
