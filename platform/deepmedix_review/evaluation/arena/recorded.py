"""Judgements that were made elsewhere, matched with the battles between versions here."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.conf import settings

from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.evaluation.arena.battles import OpenPair, keep_battles, open_pairs, pair_of
from deepmedix_review.evaluation.arena.comparing import (
    battles_of_keys,
    comparisons_of,
    judge_settings,
    names_of,
    row_of,
)
from deepmedix_review.evaluation.arena.wanted import RecordedFile
from deepmedix_review.evaluation.models import ArenaRun, Battle, Judgement
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.studies.models import Instance
from rl_feedback.evaluation.arena import RecordedAnswer, RecordedJudge, Spent, judge_all, read_answers

MOST_JUDGEMENTS = 50_000
MOST_TOLD = 5
AT_ONCE = 1000
OTHER_VERSION = "it names a version that is not among the chosen ones"
SAME_VERSION = "it names one version twice"
NO_BATTLE = "there is no battle of this key between the chosen versions"
NO_PAIR = "on no study or film of this name, and to no such question, do the two say different things"
SEVERAL_PAIRS = "the two met more than once there: name the film or the question"


@dataclass(frozen=True)
class MatchedAnswer:
    """With the version in the first place, by its key."""

    answer: RecordedAnswer
    pair: OpenPair
    first: int


@dataclass(frozen=True)
class ReadJudgements:
    """`unmatched`: of a line by its number, why it is of no pair."""

    called: str
    sha256: str
    matched: Sequence[MatchedAnswer]
    unmatched: Mapping[int, str]

    @property
    def pairs(self) -> dict[str, OpenPair]:
        return {one.pair.key: one.pair for one in self.matched}


def read_judgements(file: RecordedFile, versions: Sequence[ModelVersion], *, seed: int) -> ReadJudgements:
    """Nothing is kept. Raises RefusedByRule, naming lines, where the file can't be read, where nothing of it
    matches a pair of these versions, or something does not that shall not be left out."""
    if file.path.stat().st_size > settings.MAX_RECORDED_BYTES:
        raise RefusedByRule(
            f"{file.called} is larger than {settings.MAX_RECORDED_BYTES // 1024**2} MB. Split it."
        )
    try:
        answers = read_answers(file.path, called=file.called)
    except ValueError as error:
        raise RefusedByRule(str(error)) from error
    if len(answers) > MOST_JUDGEMENTS:
        raise RefusedByRule(
            f"{file.called} holds {len(answers):,} judgements; at most {MOST_JUDGEMENTS:,} come in at once."
        )
    found = _matches(answers, versions, seed=seed)
    matched = [one for one in found if isinstance(one, MatchedAnswer)]
    unmatched = {answer.line: one for answer, one in zip(answers, found, strict=True) if isinstance(one, str)}
    if unmatched and not (file.leaves_out and matched):
        told = "; ".join(f"line {line}: {why}" for line, why in list(unmatched.items())[:MOST_TOLD])
        raise RefusedByRule(
            f"{len(unmatched):,} of {len(answers):,} judgements match no pair, so none was brought in ({told}"
            f"{' …' if len(unmatched) > MOST_TOLD else ''}). "
            + ("Correct them, or have them left out." if matched else "Correct them.")
        )
    with file.path.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    return ReadJudgements(file.called, sha256, matched, unmatched)


def bring_in(run: ArenaRun, read: ReadJudgements) -> None:
    """Inside a transaction: each judgement becomes a row as any judge's does, and the run's plan is of their
    pairs."""
    names, pairs = names_of(run), read.pairs
    keep_battles(pairs.values())
    run.plan = [list(pairs)]
    run.save(update_fields=["plan"])
    battles = {f"{one.left_id}-{one.right_id}": one for one in battles_of_keys(list(pairs))}
    judge = RecordedJudge(
        [_of_battle(one, battles[one.pair.key], names) for one in read.matched], called=read.called
    )
    asked = [one for one in comparisons_of(run, battles.values(), names) if judge.holds(one)]
    by_case = {str(one.pk): one for one in battles.values()}
    rows = [
        # Nobody was asked here.
        row_of(run, by_case[kept.judgement.case], replace(kept, spent=Spent()), names)
        for kept in judge_all(asked, judge, judge_settings(run))
    ]
    Judgement.objects.bulk_create(rows, ignore_conflicts=True, batch_size=AT_ONCE)


def _of_battle(one: MatchedAnswer, battle: Battle, names: Mapping[int, str]) -> RecordedAnswer:
    (second,) = one.pair.versions - {one.first}
    return replace(one.answer, case=str(battle.pk), first=names[one.first], second=names[second])


def _matches(
    answers: Sequence[RecordedAnswer], versions: Sequence[ModelVersion], *, seed: int
) -> list[MatchedAnswer | str]:
    """Of each answer its pair, or why it has none."""
    called = {
        name: version.pk
        for version in versions
        for name in (str(version), f"{version} {version.name}", str(version.uid))
    }
    battles = _battles({one.battle for one in answers if one.battle}, versions)
    needs_cases = any(not one.battle for one in answers)
    pairs = _pairs_by_case(open_pairs(versions, seed=seed)) if needs_cases else {}
    return [_match(one, called, battles, pairs) for one in answers]


def _match(
    one: RecordedAnswer,
    called: Mapping[str, int],
    battles: Mapping[str, OpenPair],
    pairs: Mapping[str, Sequence[OpenPair]],
) -> MatchedAnswer | str:
    first = called.get(one.first.strip())
    second = called.get(one.second.strip()) if one.second else None
    if first is None or (one.second and second is None):
        return OTHER_VERSION
    if one.battle:
        pair = battles.get(one.battle.strip().lower())
        if pair is None or first not in pair.versions or second not in (None, *pair.versions - {first}):
            return NO_BATTLE
        return MatchedAnswer(one, pair, first)
    if first == second:
        return SAME_VERSION
    found = [
        pair
        for pair in pairs.get(one.case.strip().lower(), ())
        if pair.versions == {first, second} and one.question.strip() in ("", pair.where[1])
    ]
    if len(found) != 1:
        return SEVERAL_PAIRS if found else NO_PAIR
    return MatchedAnswer(one, found[0], first)


def _battles(keys: set[str], versions: Sequence[ModelVersion]) -> dict[str, OpenPair]:
    uids = [uid for key in keys if (uid := _uid(key)) is not None]
    rows = Battle.objects.filter(
        uid__in=uids, left__model_version__in=versions, right__model_version__in=versions
    )
    return {str(one.uid): pair_of(one.left, one.right) for one in rows.select_related("left", "right")}


def _pairs_by_case(pairs: Iterable[OpenPair]) -> dict[str, list[OpenPair]]:
    """By each name that a study or a film has, in small letters."""
    of_film: dict[int, list[OpenPair]] = defaultdict(list)
    for pair in pairs:
        of_film[pair.where[0]].append(pair)
    found: dict[str, list[OpenPair]] = defaultdict(list)
    films = list(of_film)
    for start in range(0, len(films), AT_ONCE):
        some = Instance.objects.filter(pk__in=films[start : start + AT_ONCE])
        for film in some.select_related("series__study"):
            study = film.study
            names = (film.uid, film.sop_instance_uid, study.uid, study.study_instance_uid, study.label)
            for name in names:
                found[str(name).lower()] += of_film[film.pk]
    return found


def _uid(key: str) -> UUID | None:
    try:
        return UUID(key.strip())
    except ValueError:
        return None
