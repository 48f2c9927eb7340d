"""Chooses which completions a reader study shows of each study."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from deepmedix_review.reasoning.models import Completion
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.registry.selectors import serving_model
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.selectors import completions_to_read
from deepmedix_review.studies.models import Study

Shows = ReaderStudy.Shows


def choose_completions(
    studies: Iterable[Study],
    *,
    shows: str,
    model_version: ModelVersion | None = None,
    other_version: ModelVersion | None = None,
) -> Mapping[int, Sequence[Completion]]:
    """By study, what is read of it: nothing where a completion lacks. The serving version is the default.

    Two samples are the newest two, or the one there is. Of two versions the newest completions of each on
    the same film and question.
    """
    studies = list(studies)
    version = model_version or serving_model()
    match shows:
        case Shows.ONE:
            newest = completions_to_read(studies, model_version=version)
            return {study: completions[-1:] for study, completions in newest.items()}
        case Shows.TWO_SAMPLES:
            return completions_to_read(studies, model_version=version)
        case _:
            if other_version is None:
                return {}
            return _one_of_each(studies, version, other_version)


def _one_of_each(
    studies: Sequence[Study], version: ModelVersion, other: ModelVersion
) -> Mapping[int, Sequence[Completion]]:
    completions = Completion.objects.filter(study__in=studies, model_version__in=(version, other))
    newest: dict[int, dict[tuple[int, str], dict[int, Completion]]] = defaultdict(dict)
    for completion in completions.order_by("pk").only("study_id", "instance_id", "query", "model_version_id"):
        asked = newest[completion.study_id].setdefault((completion.instance_id, completion.query), {})
        asked[completion.model_version_id] = completion
    chosen = {}
    for study, by_question in newest.items():
        both = [found for found in by_question.values() if len(found) == 2]
        if both:
            latest = max(both, key=lambda found: max(c.pk for c in found.values()))
            chosen[study] = (latest[version.pk], latest[other.pk])
    return chosen
