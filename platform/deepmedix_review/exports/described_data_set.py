"""What croissant.json says of a frozen data set: what its card and its rows tell."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deepmedix_review.exports.models import Export
from deepmedix_review.exports.own_code import said_code
from deepmedix_review.exports.said import PLATFORM, said_left_out
from deepmedix_review.feedback.datasets.sharing import models_of, readers_behind
from deepmedix_review.feedback.models import PreferenceDataset
from rl_feedback.counting import counted
from rl_feedback.croissant import Described, said_readers
from rl_feedback.hugging_face import KEYWORDS


def described_data_set(
    export: Export, dataset: PreferenceDataset, *, said: Mapping[str, Any], licences: Sequence[str]
) -> Described:
    """`said` is the data set's card."""
    gathered = (
        f"{counted(said['num_readings'], 'reading')} by {counted(said['num_readers'], 'reader')}, "
        f"signed up to {dataset.as_of.isoformat()}"
    )
    return Described(
        name=dataset.title,
        about=f"What readers signed on models' reasoning about chest films, to learn from: {gathered}. "
        "For research, not for diagnosis.",
        url=dataset.uid.urn,
        moment=dataset.as_of.isoformat(),
        data_use=export.data_use,
        made_by=f"{counted(said['num_readers'], 'reader')} on {PLATFORM}, who stand under no name",
        licences=licences,
        keywords=KEYWORDS,
        responsible={
            "dataCollection": f"Made of {gathered}, in "
            f"{counted(len(said['reader_studies']), 'reader study', 'reader studies')}; "
            f"sha256 of all of it before anything was left out: {dataset.sha256}.",
            "dataCollectionMissingData": said_left_out(export.left_out),
            "dataCollectionRawData": "Texts of models on chest films. "
            + " ".join(f"{_ended(one)}" for one in licences),
            "dataPreprocessingProtocol": [
                "Films are 8-bit grey pictures, prepared as the model saw them that wrote the text.",
                "Films have names of this data set alone; readers, patients and studies have none.",
            ],
            "dataAnnotationProtocol": said["made"],
            "dataAnnotationPlatform": f"{PLATFORM} {said_code()['version']}",
            "dataAnnotationAnalysis": [*_agreement(said), said["oversight"]],
            "dataReleaseMaintenancePlan": "The data set is frozen. Written anew, it lacks what was withdrawn "
            "since; nothing is added to it.",
            "personalSensitiveInformation": [
                "Films of patients' chests, and texts of models on them; corrected texts have readers' own "
                "words."
            ],
            "dataBiases": list(_biases(said)),
            "dataLimitations": [
                *(f"{row['what']}: {row['reason']} ({row['number']})" for row in said["left_out"]),
                *(
                    f"Left to adjudication: {row['reason']} ({row['number']})"
                    for row in said["sent_to_adjudication"]
                ),
            ],
            "dataUseCases": [export.data_use, said["use"]],
            "annotationsPerItem": " ".join(
                f"Of {name}: {said_readers(num_rows)}"
                for name, num_rows in readers_behind(dataset).items()
                if num_rows
            ),
            "annotatorDemographics": [
                f"{counted(said['num_readers'], 'reader')}. Of who they are the platform records nothing."
            ],
            "machineAnnotationTools": [
                f"{one.name} ({one}), sha256 {one.sha256}" for one in models_of(dataset)
            ],
        },
    )


def _agreement(said: Mapping[str, Any]) -> Iterator[str]:
    for row in said["agreement"]:
        value = "not to be computed" if row["value"] is None else f"{row['value']:.3f}"
        interval = "" if row["low"] is None else f" ({row['low']:.3f} to {row['high']:.3f})"
        yield (
            f"Agreement of the readers on {row['criterion']}, {row['statistic']}: {value}{interval}, "
            f"{counted(row['num_items'], 'item')}."
        )


def _biases(said: Mapping[str, Any]) -> Iterator[str]:
    for row in said["pairs"]:
        if row["share_longer"]:
            share, low, high = row["share_longer"]
            yield (
                f"Of pairs by {row['origin']} with texts of different length, the chosen one is the longer "
                f"in {share:.0%} ({low:.0%} to {high:.0%}), {counted(row['number'], 'pair')} in all."
            )
    for row in said["readers_left_out"]:
        # Why, somebody typed: the card has it.
        yield f"A reader with {counted(row['num_readings'], 'reading')} was left out by hand."
    for row in said["readers_to_mind"]:
        yield f"One reader: {row['one_reader']}"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith(".") else f"{sentence}."
