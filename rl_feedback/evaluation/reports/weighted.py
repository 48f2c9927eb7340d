"""Measures that need weights, another program or a judge: each by its authors' own package, or not at all.

Nothing stands in for what is not there: the measure is then unavailable, with the reason and the way to it.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Unavailable(Exception):
    """`reason` completes "unavailable, because …"; `way_out` says how to get it."""

    def __init__(self, reason: str, way_out: str) -> None:
        super().__init__(f"unavailable, because {reason}")
        self.reason, self.way_out = reason, way_out


@dataclass(frozen=True)
class WeightedMeasure:
    """`package` is imported, `install` is what pip takes; `run` scores reports against references, one
    number each, or labels where `is_labels` (texts x 14, 1 where said). `is_java` starts a Java program,
    which takes half a minute."""

    name: str
    label: str
    variant: str
    package: str
    install: str
    weights: str
    run: Callable[[Sequence[str], Sequence[str]], Floats]
    is_labels: bool = False
    is_java: bool = False

    def scores(self, given: Sequence[str], wanted: Sequence[str]) -> Floats:
        """Raises Unavailable."""
        if importlib.util.find_spec(self.package) is None:
            raise Unavailable(
                f"the package {self.package} is not installed",
                f"pip install {self.install}; its first use loads {self.weights}",
            )
        try:
            return self.run(given, wanted)
        except Unavailable:
            raise
        except Exception as error:  # of a foreign package and the network, of every kind
            raise Unavailable(
                f"{self.package} could not be run ({type(error).__name__})",
                f"let it load {self.weights} once on a machine with a network, and copy its cache here",
            ) from error


def _bert_score(given: Sequence[str], wanted: Sequence[str]) -> Floats:
    from bert_score import BERTScorer

    scorer = BERTScorer(model_type="distilroberta-base", lang="en", rescale_with_baseline=True)
    _, _, f1 = scorer.score(list(given), list(wanted))
    return np.asarray(f1.tolist(), dtype=np.float64)


def _f1_radgraph(given: Sequence[str], wanted: Sequence[str]) -> Floats:
    from radgraph import F1RadGraph

    scorer = F1RadGraph(reward_level="partial")
    _, rewards, _, _ = scorer(hyps=list(given), refs=list(wanted))
    return np.asarray(rewards, dtype=np.float64)


def _chexbert(given: Sequence[str], wanted: Sequence[str]) -> Floats:
    """The labels of the reports, then those of the references, in the order of `CHEXPERT_14`."""
    from f1chexbert import F1CheXbert

    from rl_feedback.labels import CHEXPERT_14

    scorer = F1CheXbert()
    order = [list(scorer.target_names).index(name) for name in CHEXPERT_14]
    labels = np.array([scorer.get_label(text) for text in (*given, *wanted)], dtype=np.float64)
    return np.asarray((labels == 1)[:, order], dtype=np.float64)


def _ratescore(given: Sequence[str], wanted: Sequence[str]) -> Floats:
    from RaTEScore import RaTEScore

    return np.asarray(RaTEScore().compute_score(list(given), list(wanted)), dtype=np.float64)


def _meteor_1_5(given: Sequence[str], wanted: Sequence[str]) -> Floats:
    from pycocoevalcap.meteor.meteor import Meteor

    if shutil.which("java") is None:
        raise Unavailable("METEOR 1.5 is a Java program and there is no java", "install a Java runtime")
    from rl_feedback.evaluation.reports.words import words

    theirs = {place: [" ".join(words(text))] for place, text in enumerate(wanted)}
    ours = {place: [" ".join(words(text))] for place, text in enumerate(given)}
    _, scores = Meteor().compute_score(theirs, ours)
    return np.asarray(scores, dtype=np.float64)


MEASURES: tuple[WeightedMeasure, ...] = (
    WeightedMeasure(
        "bert_score",
        "BERTScore",
        "F1, distilroberta-base, rescaled with its baseline (as RadCliQ and ReXrank take it)",
        "bert_score",
        "bert-score",
        "distilroberta-base (Hugging Face, 0.3 GB)",
        _bert_score,
    ),
    WeightedMeasure(
        "f1_radgraph",
        "F1-RadGraph",
        "radgraph's reward_level partial: entities with their label and whether they are related",
        "radgraph",
        "radgraph",
        "RadGraph (Hugging Face, 0.5 GB; credentialed by PhysioNet at its source)",
        _f1_radgraph,
    ),
    WeightedMeasure(
        "chexbert_f1",
        "CheXbert F1",
        "f1chexbert's labels: present or uncertain against absent or not mentioned",
        "f1chexbert",
        "f1chexbert",
        "CheXbert and bert-base-uncased (Hugging Face, 1.3 GB)",
        _chexbert,
        is_labels=True,
    ),
    WeightedMeasure(
        "ratescore",
        "RaTEScore",
        "RaTEScore's own models and weights of entity types",
        "RaTEScore",
        "RaTEScore medspacy",
        "RaTE-NER and BioLORD (Hugging Face, 1 GB)",
        _ratescore,
    ),
    WeightedMeasure(
        "meteor_1_5",
        "METEOR 1.5",
        "the Java program: exact, stem, synonym and paraphrase stages",
        "pycocoevalcap",
        "pycocoevalcap",
        "nothing: its jar lies in the package, but java must be installed",
        _meteor_1_5,
        is_java=True,
    ),
)
