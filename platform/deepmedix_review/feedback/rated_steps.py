"""What readers gave each reasoning step, as a step scorer learns from it: nobody is named."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from deepmedix_review.feedback.judgements import asked
from deepmedix_review.feedback.models import PreferenceDataset, PreferenceLabel
from deepmedix_review.registry.models import ModelVersion
from deepmedix_review.reviews.models import StepRating
from deepmedix_review.studies.models import Split, Study
from deepmedix_review.studies.selectors import film_path
from inference.grounding import parse_completion
from rl_feedback.preferences import PLAUSIBILITY
from rl_feedback.training.examples import RatedStep


def rated_steps(dataset: PreferenceDataset, *, parent: ModelVersion) -> list[RatedStep]:
    """Of the train side, each rating that a label rests on: not those that an adjudication overrode, nor what
    readers contradict each other on. Texts whose regions the parent does not write are left out."""
    labels = list(
        dataset.labels.filter(
            split=Split.TRAIN,
            step__isnull=False,
            criterion=PLAUSIBILITY,
            completion__study__state=Study.State.READY,
            completion__model_version__box_frame=parent.box_frame,
            completion__model_version__image_preparation=parent.image_preparation,
            completion__model_version__min_pixels=parent.min_pixels,
            completion__model_version__max_pixels=parent.max_pixels,
        )
        .select_related("step", "completion__instance", "completion__model_version", "completion__study")
        .order_by("position")
    )
    said = _ratings_behind(labels)
    readers: dict[int, str] = {}
    patients: dict[str, str] = {}
    found = []
    for label in labels:
        step, completion = label.step, label.completion
        place = step.position - 1 if step else -1
        parsed = parse_completion(completion.text).steps
        if step is None or place >= len(parsed) or parsed[place].text != step.text:
            continue
        patient = completion.study.patient_pseudonym
        for reader, rating in said.get((label.pk), ()):
            found.append(
                RatedStep(
                    film=str(film_path(completion.instance)),
                    prompt=asked(completion),
                    weight=1.0,
                    origin="rating",
                    text=completion.text,
                    step=place,
                    rating=rating,
                    reader=readers.setdefault(reader, f"reader {len(readers) + 1}"),
                    patient=patients.setdefault(patient, f"patient {len(patients) + 1}"),
                )
            )
    return found


def _ratings_behind(labels: Sequence[PreferenceLabel]) -> Mapping[int, Sequence[tuple[int, int]]]:
    """By label: reader and points of each rating that it rests on."""
    readings = {reading for label in labels for reading in label.readings}
    rows = StepRating.objects.filter(
        reading__in=readings, step__in=[label.step_id for label in labels], plausibility__isnull=False
    ).order_by("pk")
    by_word = {
        (reading, step): (reader, points)
        for reading, step, reader, points in rows.values_list(
            "reading", "step", "reading__assignment__reader", "plausibility"
        )
        if points is not None
    }
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for label in labels:
        for reading in label.readings:
            word = by_word.get((reading, label.step_id or 0))
            if word is not None:
                found[label.pk].append(word)
    return found
