"""RadCliQ-v1: a mix of four scores that stands nearest to the errors that radiologists count.

F. Yu et al., Evaluating progress in automatic chest X-ray radiology report generation (Patterns 2023); the
weights are those of its program (rajpurkarlab/CXR-Report-Metric, run_eval.py). Less is better.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

VARIANT = "v1, of parts that were computed elsewhere by its authors' program; less is better"
PARTS = ("radgraph", "bertscore", "semb", "bleu_2")
_MEANS = np.array([0.53792312, 0.61757256, 0.76479421, 0.44738335])
_SCALES = np.array([0.30282584, 0.22430938, 0.25394391, 0.29892717])
_WEIGHTS = np.array([-3.77083683e-01, -3.70300100e-01, -2.52616218e-01, 4.31504841e-12])
_INTERCEPT = 2.46655256e-10


def radcliq_v1(parts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of RadGraph F1, BERTScore, SembScore and BLEU-2 (… x 4).

    >>> round(float(radcliq_v1(np.array([0.273, 0.430, 0.315, 0.193]))), 3)
    1.087
    """
    return np.asarray((parts - _MEANS) / _SCALES @ _WEIGHTS + _INTERCEPT)
