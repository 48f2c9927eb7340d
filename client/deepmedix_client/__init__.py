"""Studies in and readings out of DeepMedix Review.

>>> from deepmedix_client import Client
>>> client = Client("http://localhost:8000", token="dmr_…", data_use="Agreement of readers, by our group.")
>>> client.readings(study="Pilot").to_pandas()  # doctest: +SKIP
"""

from deepmedix_client.asking import Failure, InferenceBatch, InferenceWorker
from deepmedix_client.client import Client
from deepmedix_client.erasing import Erasure, ErasurePreview, NamedUse
from deepmedix_client.errors import (
    ApiError,
    Damaged,
    DeepMedixError,
    JobFailed,
    NotAllowed,
    NoToken,
    NotThere,
    Refused,
    TookTooLong,
)
from deepmedix_client.exports import Export, Readings
from deepmedix_client.held import Decided, HeldStudy
from deepmedix_client.learning import DataSet, Gate, Model, Run
from deepmedix_client.measuring import ArenaRun, Battle, Evaluation, WholeBattle
from deepmedix_client.retention import BatchedStudy, DuePreview, DueStudy, RetentionBatch, RetentionRule
from deepmedix_client.studies import Film, Study, Uploaded, UploadedFile

__all__ = [
    "ApiError",
    "ArenaRun",
    "BatchedStudy",
    "Battle",
    "Client",
    "Damaged",
    "DataSet",
    "Decided",
    "DeepMedixError",
    "DuePreview",
    "DueStudy",
    "Erasure",
    "ErasurePreview",
    "Evaluation",
    "Export",
    "Failure",
    "Film",
    "Gate",
    "HeldStudy",
    "InferenceBatch",
    "InferenceWorker",
    "JobFailed",
    "Model",
    "NamedUse",
    "NoToken",
    "NotAllowed",
    "NotThere",
    "Readings",
    "Refused",
    "RetentionBatch",
    "RetentionRule",
    "Run",
    "Study",
    "TookTooLong",
    "Uploaded",
    "UploadedFile",
    "WholeBattle",
]
