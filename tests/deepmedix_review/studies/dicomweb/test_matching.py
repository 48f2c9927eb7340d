"""What a search asks of an attribute matches the same values in the database and in plain Python."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.utils.http import urlencode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepmedix_review.accounts.models import User
from deepmedix_review.studies.dicomweb.attributes import Level
from deepmedix_review.studies.dicomweb.matching import QueryRefused, read_matching
from deepmedix_review.studies.dicomweb.query import read_search
from deepmedix_review.studies.dicomweb.searching import search
from tests.factories.accounts import AdminFactory
from tests.factories.studies import InstanceFactory, SeriesFactory, StudyFactory

MANY = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
FIRST_DAY = date(2019, 12, 28)
# Of few letters, so that they match often, and of those that SQL's patterns give a meaning to.
names = st.text("AB%_.*?\\", max_size=5)
days = st.integers(0, 9).map(lambda number: FIRST_DAY + timedelta(days=number))
PATIENTS = ("A", "AB", "ABBA", "B%A", "A_B", "B.B", "%", "AAAB")


def day(value: date | None) -> str:
    return "" if value is None else value.strftime("%Y%m%d")


@pytest.fixture
def admin(db: None) -> User:
    """With a study of each patient, a day apart, every third one without a date."""
    for number, patient in enumerate(PATIENTS):
        made_on = None if number % 3 == 2 else FIRST_DAY + timedelta(days=number)
        study = StudyFactory.create(
            patient_pseudonym=patient, study_date=made_on, patient_sex="FM"[number % 2]
        )
        for modality in ("DX", "CR", "OT")[: number % 3 + 1]:
            InstanceFactory.create(series=SeriesFactory.create(study=study, modality=modality))
    admin: User = AdminFactory.create()
    return admin


def found(admin: User, level: Level = Level.STUDY, /, **asked: str) -> list[dict[str, Any]]:
    parameters = QueryDict(urlencode({"limit": "1000", **asked}))
    return search(admin, read_search(parameters, level=level, within={}), address="https://here").rows


def values(rows: list[dict[str, Any]], tag: str) -> list[Any]:
    return [
        one["Alphabetic"] if isinstance(one, dict) else one
        for row in rows
        for one in row[tag].get("Value", [])
    ]


def in_plain_python(pattern: str, value: str) -> bool:
    """`*` any characters, `?` one, each other one itself."""
    if not pattern:
        return not value
    if pattern[0] == "*":
        return in_plain_python(pattern[1:], value) or (bool(value) and in_plain_python(pattern, value[1:]))
    return bool(value) and pattern[0] in ("?", value[0]) and in_plain_python(pattern[1:], value[1:])


@MANY
@given(pattern=names)
def test_wildcards_match_as_in_plain_python(admin: User, pattern: str) -> None:
    wanted = [patient for patient in PATIENTS if not pattern or in_plain_python(pattern, patient)]
    for keyword in ("PatientID", "PatientName", "00100020"):
        assert sorted(values(found(admin, **{keyword: pattern}), "00100020")) == sorted(wanted)


@MANY
@given(pattern=names, value=names)
def test_a_pattern_says_of_one_value_what_it_says_of_many(pattern: str, value: str) -> None:
    wanted = pattern == "" or in_plain_python(pattern, value)
    assert read_matching("PatientID", "LO", pattern).matches(value) is wanted


@MANY
@given(first=st.none() | days, last=st.none() | days, single=st.booleans())
def test_dates_match_as_in_plain_python(
    admin: User, first: date | None, last: date | None, single: bool
) -> None:
    if first is None and last is None:
        return
    if single and first is not None:
        asked, last = day(first), first
    else:
        asked = f"{day(first)}-{day(last)}"
    every = [FIRST_DAY + timedelta(days=number) for number in range(len(PATIENTS)) if number % 3 != 2]
    wanted = [day(one) for one in every if (first or one) <= one <= (last or one)]
    assert sorted(values(found(admin, StudyDate=asked), "00080020")) == wanted


@MANY
@given(chosen=st.lists(st.sampled_from(["DX", "CR", "OT", "XX"]), min_size=1, max_size=3))
def test_a_study_is_found_by_any_of_its_modalities(admin: User, chosen: list[str]) -> None:
    holds = [
        {"DX", "CR", "OT"} if n % 3 == 2 else {"DX", "CR"} if n % 3 else {"DX"} for n in range(len(PATIENTS))
    ]
    wanted = sum(bool(one & set(chosen)) for one in holds)
    for separator in (",", "\\"):
        assert len(found(admin, ModalitiesInStudy=separator.join(chosen))) == wanted
        series = found(admin, Level.SERIES, Modality=separator.join(chosen))
        assert len(series) == sum(len(one & set(chosen)) for one in holds)


def test_uids_match_alone_and_in_lists_and_at_every_level(admin: User) -> None:
    uids = values(found(admin), "0020000D")
    assert len(uids) == len(PATIENTS)
    for level in Level:
        for asked in (uids[0], ",".join(uids[:2]), "\\".join(uids[2:5])):
            rows = found(admin, level, StudyInstanceUID=asked)
            assert set(values(rows, "0020000D")) == set(re.split(r"[,\\]", asked))


@pytest.mark.parametrize("keyword", ["AccessionNumber", "StudyTime", "StudyID", "ReferringPhysicianName"])
def test_what_no_study_here_has_matches_any_value_and_none_in_particular(admin: User, keyword: str) -> None:
    assert len(found(admin, **{keyword: ""})) == len(found(admin, **{keyword: "*"})) == len(PATIENTS)
    assert found(admin, **{keyword: "1200"}) == []


def test_all_that_is_asked_must_match(admin: User) -> None:
    assert values(found(admin, PatientSex="F", PatientID="A*", ModalitiesInStudy="OT"), "00100020") == [
        "ABBA"
    ]


@given(asked=st.text(max_size=80), vr=st.sampled_from(["UI", "DA", "TM", "IS", "CS", "LO", "PN", "SH"]))
def test_whatever_is_typed_is_a_matching_or_is_refused_in_a_sentence_that_does_not_repeat_it(
    asked: str, vr: str
) -> None:
    try:
        read_matching("PatientID", vr, asked)
    except QueryRefused as refusal:
        sentence = str(refusal.detail)
        assert sentence.endswith(".")
        assert len(asked) < 12 or asked not in sentence
