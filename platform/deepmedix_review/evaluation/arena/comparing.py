"""What a judge compares of a run's battles, and what judges and experts said of them."""

from collections.abc import Iterable, Iterator, Sequence

from deepmedix_review.evaluation.arena.battles import said_by
from deepmedix_review.evaluation.models import ArenaRun, Battle
from deepmedix_review.evaluation.models import Judgement as Row
from deepmedix_review.studies.models import Reference
from rl_feedback.evaluation.arena import (
    Comparison,
    Judgement,
    JudgeSettings,
    Kept,
    Kind,
    Spent,
    Verdict,
    key_of,
    style_of,
)
from rl_feedback.evaluation.arena.files import criteria_as_json, criteria_of


def names_of(run: ArenaRun) -> dict[int, str]:
    """Of its versions as a board calls them, by key."""
    return {version.pk: f"{version} {version.name}" for version in run.versions.order_by("pk")}


def judge_settings(run: ArenaRun) -> JudgeSettings:
    return JudgeSettings(
        judge=run.served_model,
        revision=run.revision,
        prompt_version=run.prompt_version,
        seed=run.seed,
        is_by_pair=run.judged_by == ArenaRun.JudgedBy.RECORDED,
    )


def battles_of_keys(keys: Sequence[str]) -> list[Battle]:
    """In the order of their rows; without those whose outputs were erased."""
    wanted = set(keys)
    lefts = {int(key.partition("-")[0]) for key in keys}
    rows = Battle.objects.filter(left__in=lefts).select_related("left", "right").order_by("pk")
    return [row for row in rows if f"{row.left_id}-{row.right_id}" in wanted]


def comparisons_of(run: ArenaRun, battles: Iterable[Battle], names: dict[int, str]) -> Iterator[Comparison]:
    """Of each battle both orders, the left output in the first place first."""
    battles = list(battles)
    found = Reference.objects.filter(study__in={battle.study_id for battle in battles})
    # What others gave their judge is not known here, and a reference that changes takes no verdict of theirs.
    is_given = run.judged_by != ArenaRun.JudgedBy.RECORDED
    references = {reference.study_id: _report(reference) for reference in found} if is_given else {}
    for battle in battles:
        left, right = battle.left, battle.right
        comparison = Comparison(
            case=str(battle.pk),
            study=str(battle.study_id),
            category=left.query,
            first=names[left.model_version_id],
            second=names[right.model_version_id],
            first_text=said_by(left),
            second_text=said_by(right),
            reference=references.get(battle.study_id, ""),
        )
        yield comparison
        yield comparison.turned


def _report(reference: Reference) -> str:
    parts = (("Findings", reference.findings), ("Impression", reference.impression))
    told = "\n".join(f"{name}: {text}" for name, text in parts if text)
    return told or reference.report


def row_of(run: ArenaRun, battle: Battle, kept: Kept, names: dict[int, str]) -> Row:
    """Not written yet."""
    return Row(
        battle=battle,
        is_left_first=kept.judgement.first == names[battle.left.model_version_id],
        key=kept.key,
        kind=Row.Kind.MODEL,
        verdict=str(kept.judgement.verdict),
        judge=run.judge,
        run=run,
        criteria=criteria_as_json(kept.judgement.criteria),
        text=kept.text.replace("\0", ""),
        problem=kept.problem,
        num_requests=kept.spent.num_requests,
        num_prompt_tokens=kept.spent.num_prompt_tokens,
        num_tokens=kept.spent.num_tokens,
    )


def kept_of(row: Row) -> Kept:
    """Of what is known the verdict and its reasons; the case is that of whoever asks."""
    found = Judgement(
        "", "", "", "", row.judge, Kind.MODEL, Verdict(row.verdict), criteria=criteria_of(row.criteria)
    )
    return Kept(row.key, found, row.text, row.problem, num_tries=row.num_requests, spent=Spent())


def judgements_of(run: ArenaRun, names: dict[int, str]) -> list[Judgement]:
    """What the run's judge said of its battles, and what experts said of any between its versions."""
    planned = {key for of_round in run.plan for key in of_round}
    rows = (
        Row.objects.filter(battle__left__model_version__in=names, battle__right__model_version__in=names)
        .select_related("battle__left", "battle__right", "reader")
        .order_by("pk")
    )
    wanted = judge_settings(run)
    told = []
    comparisons: dict[tuple[int, bool], Comparison] = {}
    battles = {row.battle_id: row.battle for row in rows}
    for place, comparison in enumerate(comparisons_of(run, battles.values(), names)):
        comparisons[int(comparison.case), place % 2 == 0] = comparison
    for row in rows:
        comparison = comparisons[row.battle_id, row.is_left_first]
        if row.kind == Row.Kind.MODEL:
            is_planned = f"{row.battle.left_id}-{row.battle.right_id}" in planned
            if not is_planned or row.key != key_of(comparison, wanted):
                continue
        told.append(_judgement(row, comparison))
    return told


def _judgement(row: Row, comparison: Comparison) -> Judgement:
    judge = row.judge if row.reader is None else row.reader.pseudonym
    return Judgement(
        case=comparison.case,
        study=comparison.study,
        first=comparison.first,
        second=comparison.second,
        judge=judge,
        kind=Kind(row.kind),
        verdict=Verdict(row.verdict),
        category=comparison.category,
        criteria=criteria_of(row.criteria),
        of_first=style_of(comparison.first_text),
        of_second=style_of(comparison.second_text),
        key=row.key,
    )
