"""Which tables lie in a folder of an export, and those that are computed of the ratings."""

from collections.abc import Iterator, Sequence

from deepmedix_review.exports.about_tables import CASE, CASES, COMPLETIONS, STEPS
from deepmedix_review.exports.pseudonyms import reader_name
from deepmedix_review.exports.said_tables import (
    FIRST_READS,
    MISSED_FINDINGS,
    RATINGS,
    READINGS,
    REGIONS,
    VOTES,
)
from deepmedix_review.exports.scope import MOST_READERS_SIDE_BY_SIDE, Group, Scope, readers_in
from deepmedix_review.exports.table_parts import (
    CRITERION,
    ITEM,
    RATED,
    VALUE_NUMBER,
    WITH_CHOSEN,
    By,
    Column,
    Kind,
    Table,
)
from deepmedix_review.reviews.models import Assignment

LONG = (RATINGS, READINGS, VOTES, REGIONS, FIRST_READS, MISSED_FINDINGS, CASES, COMPLETIONS, STEPS)
STANDING = f"ch.stands AND ch.kind = '{Assignment.Kind.FIRST}'"


def tables_of(scope: Scope, group: Group) -> Iterator[Table]:
    """Those of a folder; figures of agreement and imrmc are of data alone."""
    yield from LONG
    if group.folder == "data":
        readers = readers_in(scope, group)
        if len(readers) <= MOST_READERS_SIDE_BY_SIDE:
            # In the order of their names: that of their accounts would be the same in every export.
            named = sorted((reader_name(scope.secret, uid), key) for key, uid in readers)
            yield _agreement(scope, [(key, name) for name, key in named])
        for criterion, version in scope.scales:
            yield _imrmc(criterion, version)


def _agreement(scope: Scope, readers: Sequence[tuple[int, str]]) -> Table:
    """Items by readers."""
    of_case = "ch.reader_study, ch.case_number, ch.study_uid"
    item = f"{of_case}, ch.completion, ch.model, ch.step, ch.step_uid, ch.region"
    said = "string_agg(ch.value, '|' ORDER BY ch.value COLLATE \"C\")"
    cells = "".join(
        f""",\n {said} FILTER (WHERE ch.reader_id = {key:d}) AS "{name}" """ for key, name in readers
    )
    return Table(
        "agreement",
        "items by readers: one row for each item of each criterion, a column for each reader. Standing first "
        "readings alone; several choices have | between; empty where the reader said nothing of the item",
        (
            *CASE,
            *ITEM,
            *CRITERION,
            *(Column(name, "what this reader said") for _, name in readers),
        ),
        f"""{WITH_CHOSEN}
        SELECT ch.reader_study, ch.case_number AS "case", ch.study_uid, ch.completion, ch.model, ch.step,
            ch.step_uid,
            ch.region, ch.criterion, ch.criterion_version {cells}
        FROM ({RATED}) AS ch WHERE {STANDING}
        GROUP BY ch.case_id, ch.completion_id, ch.criterion, ch.criterion_version, {item}
        ORDER BY ch.case_id, ch.completion_id, ch.step, ch.region, ch.criterion COLLATE "C",
            ch.criterion_version""",
        By.CASE,
    )


def _imrmc(criterion: str, version: int) -> Table:
    """https://cran.r-project.org/package=iMRMC: a data frame of readerID, caseID, modalityID and score."""
    return Table(
        f"imrmc/{criterion}-v{version}",
        f"for iMRMC: the mean of {criterion} v{version} by reader, case and model version, of standing first "
        "readings. Rows of the truth (readerID and modalityID `truth`, score 0 or 1) are to be added where "
        "the analysis needs them: the platform knows of none",
        (
            Column("readerID", "pseudonym of the reader"),
            Column("caseID", "beginning of the reader study's uid, and number of the case"),
            Column("modalityID", "version of the model"),
            Column("score", "mean over what was rated of the case", Kind.NUMBER),
        ),
        f"""{WITH_CHOSEN}
        SELECT ch.reader AS "readerID", left(ch.reader_study, 8) || '-' || ch.case_number AS "caseID",
            coalesce(ch.model, 'all') AS "modalityID", avg({VALUE_NUMBER}) AS score
        FROM ({RATED}) AS ch
        WHERE {STANDING} AND ch.is_number AND ch.criterion = '{criterion}'
            AND ch.criterion_version = {version:d}
        GROUP BY ch.reader, ch.reader_study, ch.case_number, ch.case_id, ch.model, ch.model_number
        ORDER BY ch.case_id, ch.model_number, ch.reader COLLATE "C" """,
        By.CASE,
        is_csv_alone=True,
    )
