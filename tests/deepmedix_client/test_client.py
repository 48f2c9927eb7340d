"""A program brings studies in, takes readings out and learns from them, with the package for researchers."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from pytest_django.live_server_helper import LiveServer

from deepmedix_client import (
    Client,
    DeepMedixError,
    JobFailed,
    NotAllowed,
    NoToken,
    NotThere,
    Refused,
    TookTooLong,
)
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.audit.models import AuditEvent
from deepmedix_review.exports.models import Export as ExportRow
from deepmedix_review.feedback.models import GateDecision
from deepmedix_review.reviews.models import Case, Reading
from deepmedix_review.studies.models import ImportBatch, Study
from tests.deepmedix_client.conftest import ClientOf
from tests.deepmedix_review.exports.an_export import a_read_study
from tests.factories.accounts import AdminFactory
from tests.factories.learning import a_study_read_by_several
from tests.factories.registry import ServingModelFactory
from tests.factories.studies import write_film
from tests.workers import Workers

pytestmark = pytest.mark.django_db(transaction=True)


def test_readings_of_a_study_come_by_its_title_as_a_data_frame_of_right_types(
    client_of: ClientOf, celery_workers: Workers, tmp_path: Path
) -> None:
    study = a_read_study()
    study.title = "Pilot"
    study.save(update_fields=["title"])
    client = client_of()
    readings = client.readings(study="Pilot")
    ratings = readings.to_pandas()
    expected = Reading.objects.filter(signed_at__isnull=False, assignment__case__role=Case.Role.DATA)
    assert ratings["reading"].nunique() == expected.count() > 0
    assert str(ratings["step"].dtype) == "Int64"
    assert str(ratings["stands"].dtype) == "boolean"
    assert isinstance(ratings["signed_at"].dtype, pd.DatetimeTZDtype)
    assert set(ratings["signed_at"]) == {reading.signed_at for reading in expected}
    assert ratings["step"].isna().any()
    assert len(readings.rows("controls/readings")) > 0
    assert "controls/ratings" in readings.tables
    assert "data/: cases of data" in readings.about()
    with pytest.raises(DeepMedixError, match=r"no table 'vots'. There are: .*ratings"):
        readings.table("vots")
    saved = readings.save(tmp_path / "pilot.zip")
    again = readings.export.refreshed().download(tmp_path / "again.zip")
    assert saved.read_bytes() == again.read_bytes()
    row = ExportRow.objects.get()
    assert (row.formats, row.data_use) == (["parquet"], "Agreement of readers, by our group alone.")
    fetched = AuditEvent.objects.filter(action="download_export")
    assert fetched.count() == 2
    assert all("by_token" in event.details for event in fetched)
    assert readings.export.delete().archive_bytes is None


def test_the_same_moment_gives_the_same_bytes(
    client_of: ClientOf, celery_workers: Workers, tmp_path: Path
) -> None:
    study, moment = a_read_study(), datetime.now(UTC)
    client = client_of()
    first, second = (client.readings(study=[str(study.uid)], as_of=moment) for _ in range(2))
    assert first.export.uid != second.export.uid
    assert first.save(tmp_path / "a.zip").read_bytes() == second.save(tmp_path / "b.zip").read_bytes()
    with pytest.raises(DeepMedixError, match="no time zone"):
        client.readings(as_of=datetime(2026, 1, 1))
    assert [one.uid for one in client.exports()] == [second.export.uid, first.export.uid]


def test_what_is_not_there_or_not_allowed_is_said_in_the_platforms_words(
    client_of: ClientOf, live_server: LiveServer
) -> None:
    study = a_read_study()
    client = client_of()
    with pytest.raises(DeepMedixError, match=rf"No reader study 'Plot'.*There are: '{study.title}'"):
        client.readings(study="Plot")
    with pytest.raises(NotThere):
        client.study("00000000-0000-4000-8000-000000000000")
    with pytest.raises(NoToken, match="mistyped, expired or revoked"):
        next(Client(live_server.url, "dmr_guessed").studies())
    with pytest.raises(NotAllowed):
        client_of(scopes=[Capability.VIEW_MODELS]).export()
    with pytest.raises(DeepMedixError, match="what the data may be used for"):
        Client(live_server.url, "dmr_guessed").export()
    assert not ExportRow.objects.exists()


def test_a_title_of_two_studies_is_asked_for_by_uid(client_of: ClientOf) -> None:
    for _ in range(2):
        study = a_read_study()
        study.title = "Twin"
        study.save(update_fields=["title"])
    with pytest.raises(DeepMedixError, match="2 reader studies are called 'Twin'"):
        client_of().readings(study="Twin")


def test_an_export_that_nobody_writes_is_waited_for_so_long_and_one_that_is_cancelled_says_so(
    client_of: ClientOf,
) -> None:
    a_read_study()
    export = client_of().export()
    with pytest.raises(TookTooLong, match=r"still queued after 0.1 s. It goes on"):
        export.wait(0.1)
    with pytest.raises(Refused, match="still being written"):
        export.download("/tmp/never.zip")
    assert export.cancel().state == "cancelled"
    with pytest.raises(JobFailed) as failed:
        export.wait()
    assert failed.value.state == "cancelled"


def test_films_and_folders_of_films_are_one_import_and_a_refused_one_says_why(
    client_of: ClientOf, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    write_film(folder / "a.dcm", seed=1)
    write_film(folder / "b.dcm", seed=2)
    (tmp_path / "notes.txt").write_text("No film.")
    client = client_of(AdminFactory.create())
    sent = client.upload([folder, tmp_path / "notes.txt"])
    assert [Path(one.name).name for one in sent.files] == ["a.dcm", "b.dcm", "notes.txt"]
    assert [one.outcome for one in sent.files][2] == "refused"
    assert "neither a DICOM file nor a picture" in sent.of("refused")[0].reason
    assert ImportBatch.objects.count() == 1
    assert Study.objects.count() == 2
    studies = list(client.studies())
    assert {study.uid for study in studies} == {one.study for one in sent.files[:2]}
    assert client.study(studies[0].uid).films[0].rows == 96
    assert [one.outcome for one in client.upload(folder / "a.dcm").files] == ["duplicate"]
    with pytest.raises(DeepMedixError, match=r"There is no .*gone.dcm. Nothing was sent"):
        client.upload([folder, tmp_path / "gone.dcm"])


def test_ratings_are_frozen_and_a_run_on_them_is_followed_and_cancelled(client_of: ClientOf) -> None:
    model = ServingModelFactory.create(image_preparation="square", min_pixels=12544, max_pixels=12544)
    study = a_study_read_by_several(model, num_films=6, num_readers=3)
    client = client_of()
    data_set = client.freeze("Round 1", studies=[study.title])
    assert [one.sha256 for one in client.data_sets()] == [data_set.sha256]
    run = client.train(data_set, recipe={"stages": [{"kind": "sft", "num_steps": 2}]})
    assert (run.state, run.num_total, run.dataset) == ("queued", 2, data_set.uid)
    assert run.cancel().state == "cancelled"
    with pytest.raises(JobFailed):
        client.run(run.uid).wait()
    assert run.to_pandas().empty
    [serving] = client.models()
    assert (serving.state, serving.gate) == ("serving", None)
    assert client.model(serving.uid) == serving
    with pytest.raises(TookTooLong, match="still measuring"):
        client.wait_for_gate(serving.uid, seconds=0.1)
    decide = GateDecision.objects.create
    decide(candidate=model, parent=model, outcome="passed", policy={}, comparisons=[], sentence="Passed.")
    assert client.wait_for_gate(serving.uid).sentence == "Passed."
    with pytest.raises(DeepMedixError, match="'v1' is no uid"):
        client.model("v1")
    with pytest.raises(DeepMedixError):
        client.train(data_set, recipe={"stages": [{"kind": "hope"}]})
