"""What leaves the platform: every rating once, apart from what tests readers, under names of its own."""

import hashlib
from collections import Counter, defaultdict
from statistics import mean
from uuid import UUID

import pytest

from deepmedix_review.accounts.models import User
from deepmedix_review.exports.models import FORMATS
from deepmedix_review.exports.pseudonyms import export_secret, reader_name, reading_name
from deepmedix_review.reviews.models import (
    AnswerRating,
    Assignment,
    Case,
    Criterion,
    MissedFinding,
    Reading,
    RegionAnnotation,
    StepRating,
    Vote,
)
from deepmedix_review.reviews.reading.changes import RateStep
from deepmedix_review.reviews.results.rows import row_files
from deepmedix_review.reviews.results.rows_said import CANNOT_JUDGE
from deepmedix_review.reviews.services import amend_reading
from deepmedix_review.studies.models import SourceDataset, Study
from tests.deepmedix_review.exports.an_export import (
    USE,
    a_read_study,
    archive_of,
    done,
    files_of,
    manifest_of,
    rows_of,
)
from tests.factories.reviews import an_open_reading, change, complete, reader_of, say_first, sign

ITEM = ("case", "completion", "step", "region", "criterion")
pytestmark = pytest.mark.django_db


def test_every_rating_of_data_is_a_row_and_no_control_is_among_them() -> None:
    study = a_read_study()
    export = done(study)
    data = Reading.objects.filter(
        assignment__case__reader_study=study, assignment__case__role=Case.Role.DATA, signed_at__isnull=False
    )
    readings = rows_of(export, "data/readings")
    secret = export_secret([study.uid], as_of=export.as_of)
    names = [reading_name(secret, one.uid) for one in data.order_by("pk")]
    assert [row["reading"] for row in readings] == names
    assert {row["kind"] for row in readings} == {"first", "repeat"}
    ratings = rows_of(export, "data/ratings")
    counts = Counter(row["criterion"] for row in ratings)
    overall = Criterion.objects.get(field="overall").key
    answers = AnswerRating.objects.filter(reading__in=data)
    assert counts["plausibility"] == StepRating.objects.filter(reading__in=data).count()
    assert counts["region-verdict"] == RegionAnnotation.objects.filter(reading__in=data).count()
    assert counts["relevance"] == answers.filter(relevance__isnull=False).count()
    assert counts[overall] == Vote.objects.filter(reading__in=data, kind=Vote.Kind.OVERALL).count()
    versions = {row["criterion_version"] for row in ratings if row["criterion"] == "plausibility"}
    assert versions == {"1"}
    controls = rows_of(export, "controls/readings")
    assert controls
    every = Reading.objects.filter(assignment__case__reader_study=study, signed_at__isnull=False)
    assert len(controls) + len(readings) == every.count()
    assert {row["role"] for row in rows_of(export, "controls/cases")} == {"control"}
    assert "practice/readings.csv" not in files_of(export)


def test_the_rows_mean_what_the_results_to_take_away_mean() -> None:
    study = a_read_study()
    export = done(study)
    secret = export_secret([study.uid], as_of=export.as_of)
    first = [row for row in rows_of(export, "data/ratings") if row["kind"] == "first"]
    files = {file.name: file for file in row_files(study)}
    theirs = [
        dict(zip(files["ratings.csv"].columns, row, strict=True)) for row in files["ratings.csv"].rows()
    ]
    assert Counter(
        (row["reading"], row["completion"], row["step"], row["value"]) for row in first
    ) == Counter(
        (
            reading_name(secret, UUID(str(row["reading"]))),
            row["completion"],
            str(row["step"]),
            str(row["value"]),
        )
        for row in theirs
    )
    seconds = {row["reading"]: row["active_seconds"] for row in first}
    by_reading = {
        reading_name(secret, UUID(str(row[0]))): str(row[9]) for row in files["readings.csv"].rows()
    }
    assert seconds == by_reading


def test_items_by_readers_and_the_frame_of_imrmc_follow_from_the_ratings() -> None:
    export = done(a_read_study())
    standing = [
        row for row in rows_of(export, "data/ratings") if row["kind"] == "first" and row["stands"] == "true"
    ]
    said: dict[tuple[tuple[str, ...], str], str] = {}
    means = defaultdict(list)
    for row in standing:
        item = tuple(row[name] for name in ITEM)
        assert (item, row["reader"]) not in said
        said[item, row["reader"]] = row["value"]
        if row["criterion"] == "plausibility" and row["value_number"]:
            case = f"{row['reader_study'][:8]}-{row['case']}"
            means[row["reader"], case, row["model"]].append(float(row["value_number"]))
    wide: dict[tuple[tuple[str, ...], str], str] = {}
    for row in rows_of(export, "data/agreement"):
        item = tuple(row[name] for name in ITEM)
        wide |= {(item, name): value for name, value in row.items() if name.startswith("R-") and value}
    assert wide == said
    frame = rows_of(export, "data/imrmc/plausibility-v1")
    assert {(row["readerID"], row["caseID"], row["modalityID"]): float(row["score"]) for row in frame} == {
        key: pytest.approx(mean(points)) for key, points in means.items()
    }
    assert list(frame[0]) == ["readerID", "caseID", "modalityID", "score"]


def test_readers_and_patients_have_names_of_this_export_alone_and_nothing_else_names_them() -> None:
    study = a_read_study()
    export = done(study, formats=FORMATS)
    everything = b"\n".join(files_of(export).values())
    for user in User.objects.all():
        for name in (user.username, user.pseudonym, str(user.uid)):
            assert name.encode() not in everything
    for film in Study.objects.all():
        assert film.patient_pseudonym.encode() not in everything
    secret = export_secret([study.uid], as_of=export.as_of)
    readers = User.objects.filter(pk__in=Assignment.objects.values("reader"))
    assert {row["reader"] for row in rows_of(export, "data/readings")} == {
        reader_name(secret, reader.uid) for reader in readers
    }
    assert len({row["patient"] for row in rows_of(export, "data/cases")}) == 6 - len(
        rows_of(export, "controls/cases")
    )
    other = done(study)
    for column in ("reader", "reading"):
        names = {row[column] for row in rows_of(export, "data/readings")}
        assert not names & {row[column] for row in rows_of(other, "data/readings")}
    for one in Reading.objects.all():
        assert str(one.uid).encode() not in everything


def test_the_same_request_gives_the_same_bytes_also_after_an_amendment_and_more_readings() -> None:
    study = a_read_study()
    export = done(study, formats=FORMATS)
    reading = Reading.objects.filter(
        assignment__case__reader_study=study,
        assignment__case__role=Case.Role.DATA,
        assignment__kind=Assignment.Kind.FIRST,
    ).earliest("pk")
    amendment = amend_reading(reading=reading, reader=reader_of(reading), reason="A slip.")
    step = amendment.completion_a.steps.earliest("position")
    change(amendment, RateStep(step.uid, None, True, ""))
    sign(amendment)
    again = done(study, formats=FORMATS, as_of=export.as_of)
    assert archive_of(again) == archive_of(export)
    assert again.sha256 == export.sha256 == hashlib.sha256(archive_of(again)).hexdigest()

    now = done(study)
    readings = {row["reading"]: row for row in rows_of(now, "data/readings")}
    secret = export_secret([study.uid], as_of=now.as_of)
    before, after = (reading_name(secret, one.uid) for one in (reading, amendment))
    assert readings[before]["stands"] == "false"
    amended = readings[after]
    assert (amended["attempt"], amended["kind"], amended["stands"]) == ("amendment", "first", "true")
    assert amended["amends"] == before
    assert amended["active_seconds"] == readings[before]["active_seconds"]
    [said] = [
        row
        for row in rows_of(now, "data/ratings")
        if row["reading"] == after and row["step_uid"] == str(step.uid) and not row["region"]
    ]
    assert (said["value"], said["value_number"]) == (CANNOT_JUDGE, "")
    assert manifest_of(now)["audit"]["sequence"] > manifest_of(export)["audit"]["sequence"]


def test_the_manifest_holds_the_sums_the_versions_and_what_was_left_out() -> None:
    study = a_read_study()
    unsigned = an_open_reading()
    held = study.cases.filter(role=Case.Role.DATA).earliest("position").study
    Study.objects.filter(pk=held.pk).update(state=Study.State.HELD)
    export = done(formats=FORMATS)
    files, manifest = files_of(export), manifest_of(export)
    assert {one["name"] for one in manifest["files"]} | {"README.txt", "manifest.json"} == set(files)
    for one in manifest["files"]:
        assert hashlib.sha256(files[one["name"]]).hexdigest() == one["sha256"]
    rows = {one["name"]: one["rows"] for one in manifest["files"]}
    assert rows["data/ratings.csv"] == len(rows_of(export, "data/ratings"))
    assert export.num_rows == sum(rows.values())
    assert manifest["data_use"] == USE
    assert ["plausibility", 1] in manifest["criteria"]
    assert {one["model"] for one in manifest["models"]} == {
        row["model"] for row in rows_of(export, "data/completions")
    }
    reasons = {one["reason"].split(" ")[0]: one["num"] for one in manifest["left_out"]}
    assert reasons["assignments"] == 1
    num_held = Reading.objects.filter(assignment__case__study=held, signed_at__isnull=False).count()
    assert reasons["readings"] == num_held > 0
    assert held.study_instance_uid not in files["data/cases.csv"].decode()
    kept = Reading.objects.filter(signed_at__isnull=False, assignment__case__role=Case.Role.DATA)
    assert rows["data/readings.csv"] == kept.exclude(assignment__case__study=held).count()
    assert unsigned not in kept


def test_what_a_licence_forbids_stays_and_is_counted() -> None:
    study = a_read_study()
    first, second = [case.study for case in study.cases.filter(role=Case.Role.DATA).order_by("position")[:2]]
    for film, is_credentialed in ((first, True), (second, False)):
        source = SourceDataset.objects.create(
            name=f"Set {film.pk}", layout="table", licence="A licence", is_credentialed=is_credentialed
        )
        Study.objects.filter(pk=film.pk).update(source=source)
    export = done(formats=FORMATS)
    cases = files_of(export)["data/cases.csv"].decode()
    assert first.study_instance_uid not in cases
    assert second.study_instance_uid in cases
    signed = Reading.objects.filter(signed_at__isnull=False)
    num_forbidden = signed.filter(assignment__case__study=first).count()
    assert num_forbidden > 0
    reason = "readings of films whose licence lets nothing of them leave"
    assert {"reason": reason, "num": num_forbidden} in manifest_of(export)["left_out"]


def test_words_leave_as_they_are_and_as_csv_harmless_to_spreadsheets() -> None:
    reading = an_open_reading(num_completions=1, asks_first_read=True)
    say_first(reading, impression='=HYPERLINK("x"), "quoted"\nand a second line \\ here')
    complete(reading)
    MissedFinding.objects.create(reading=reading, completion=reading.completion_a, text="-a nodule, ünlike")
    sign(reading)
    export = done(reading.assignment.case.reader_study, formats=FORMATS)
    [first] = rows_of(export, "data/first_reads")
    assert first["impression"] == "'" + '=HYPERLINK("x"), "quoted"\nand a second line \\ here'
    [missed] = rows_of(export, "data/missed_findings")
    assert missed["text"] == "'-a nodule, ünlike"


def test_the_columns_of_readers_tell_no_order_of_accounts() -> None:
    study = a_read_study()
    # By chance one export has the two in the order of their accounts, not all of eight.
    for _ in range(8):
        [first, *_rest] = rows_of(done(study), "data/agreement")
        readers = [name for name in first if name.startswith("R-")]
        assert readers == sorted(readers)
        assert len(readers) == 2
