"""XrayBench's tables as they were published with DeepMedix-R1, to stand beside measured ones, never among
them (arXiv 2509.03906; read from figures, so to their printed digits)."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "arXiv 2509.03906 (v1, v2), figures; sample-weighted over XrayBench's 14,213 samples"


@dataclass(frozen=True)
class PublishedValue:
    """`measure` is "vqa" or one of REPORT_MEASURES."""

    model: str
    measure: str
    value: float


REPORT_MEASURES = {
    "f1_radgraph": "F1-RadGraph",
    "rouge_l": "ROUGE-L",
    "meteor": "METEOR",
    "chexbert_f1_macro_14": "CheXbert F1 macro, 14",
    "chexbert_f1_micro_14": "CheXbert F1 micro, 14",
    "chexbert_f1_macro_5": "CheXbert F1 macro, 5",
    "chexbert_f1_micro_5": "CheXbert F1 micro, 5",
    "average": "average",
}
_REPORTS = {
    "LLaVA-Rad": (0.176, 0.243, 0.234, 0.271, 0.451, 0.405, 0.490, 0.256),
    "MedGemma": (0.155, 0.171, 0.218, 0.277, 0.449, 0.400, 0.471, 0.224),
    "DeepMedix": (0.198, 0.261, 0.227, 0.206, 0.402, 0.315, 0.404, 0.241),
    "DeepMedix-R1": (0.222, 0.287, 0.281, 0.281, 0.486, 0.428, 0.511, 0.293),
}
_VQA = {
    "Qwen2.5-VL-7B": 0.281,
    "Qwen2.5-VL-7B, thinking": 0.352,
    "Qwen2.5-VL-32B": 0.353,
    "DeepSeek-VL-7B": 0.175,
    "HuatuoGPT-Vision": 0.412,
    "CheXagent": 0.563,
    "LLaVA-Rad": 0.058,
    "MedGemma": 0.439,
    "DeepMedix": 0.663,
    "DeepMedix-R1": 0.693,
}
TABLE = (
    *(
        PublishedValue(model, measure, value)
        for model, values in _REPORTS.items()
        for measure, value in zip(REPORT_MEASURES, values, strict=True)
    ),
    *(PublishedValue(model, "vqa", value) for model, value in _VQA.items()),
)
# DeepMedix and DeepMedix-R1, the composite of each set.
COMPOSITES: dict[str, tuple[float, float]] = {
    "MIMIC-CXR findings": (0.2475, 0.323),
    "MIMIC-CXR impression": (0.225, 0.256),
    "OPEN-I findings": (0.248, 0.302),
    "OPEN-I impression": (0.285, 0.326),
    "Ext-VQA": (0.708, 0.724),
    "CXR-VQA": (0.614, 0.659),
    "all": (0.528, 0.565),
}
ERRATA = (
    "The figure prints the labels of METEOR and macro-14 swapped for LLaVA-Rad, MedGemma and DeepMedix; the "
    "values here follow the drawn polygons.",
    "The average of a row is not the mean of the seven measures beside it: it must hold "
    "further ones, which are not published.",
    "Which BLEU, METEOR and RadGraph were run is not published, so no value here compares with a measured "
    "one to the last digit.",
    "An independent check (arXiv 2512.10691) finds DeepMedix-R1 below LLaVA-Rad on CheXbert F1, micro .482 "
    "against .533 and macro .283 against .392: the other way round than published.",
)
