"""The words by which reports name each finding. All patterns are for text in small letters."""

from __future__ import annotations

from dataclasses import dataclass

from rl_feedback.labels.findings import NO_FINDING, SUPPORT_DEVICES, State


@dataclass(frozen=True)
class Phrase:
    """Words that name findings. `means` is what they say of them when nothing denies or doubts them.

    `is_stated` is False where the finding is only implied, as clear lungs imply that there is no opacity;
    CheXpert's labels leave such mentions out.
    """

    findings: tuple[str, ...]
    patterns: tuple[str, ...]
    means: State = State.PRESENT
    is_stated: bool = True


_ACUTE = (
    r"(?:(?:acute|active|significant|radiographic|cardio-?pulmonary|cardiac|pulmonary|intrathoracic"
    r"|thoracic|cardiothoracic|chest|focal|lung)(?: or |/| and | ))+"
)
# "No findings to suggest pneumonia" speaks of pneumonia alone.
_NOT_OF = r"(?! (?:of|to|in|suggest|concerning|suspicious|consistent|that))"
_EXAMINATION = (
    r"(?:chest|stud(?:y|ies)|examination|exam|radiographs?|films?|x-?rays?|cxr|appearance of the chest)"
)

# A phrase wins over those after it where both begin at the same letter. The first names nothing: it hides
# words that only look like a finding.
# fmt: off
PHRASES: tuple[Phrase, ...] = (
    Phrase((), (
        "(?:pericardial|joint) effusions?", "vertebral(?: body)? collapse", "mass effect", "critical mass",
        "soft tissue (?:density|densities|edema)",
        "bone (?:density|densities)", "tube current", "valve plane",
    )),
    Phrase(("Hyperinflation",), (
        "chronic obstructive (?:pulmonary|lung|airways?) disease", "copd", "emphysema(?:tous)?",
        r"hyper-?(?:inflat|expan)\w+", "flatten(?:ed|ing)(?: of)?(?: the)?(?: hemi)?-?diaphragms?",
        r"hyperlucen\w+",
    )),
    Phrase(("Pneumothorax", "Pleural Effusion"), (
        "hydropneumothora(?:x|ces)",
    )),
    Phrase(("Pneumothorax",), (
        "pneumothora(?:x|ces)", "ptx",
    )),
    Phrase(("Pleural Effusion",), (
        "(?:pleural )?effusions?", "pleural fluid", "(?:hydro|hemo|haemo)thora(?:x|ces)", "empyemas?",
    )),
    Phrase(("Pleural Other",), (
        "pleural(?:[- ](?:and[- ])?parenchymal)? (?:thickening|scar(?:ring)?s?|plaques?|fibrosis|disease)",
        "pleural (?:calcifications?|mass(?:es)?)",
        "pleuro-?(?:parenchymal|pericardial) scar(?:ring)?s?", "fibrothorax",
    )),
    Phrase(("Pleural Effusion",), (
        r"blunt(?:ing|ed)(?: of)?(?: the)?(?: \w+){0,3} costophrenic (?:angles?|sulc(?:us|i))",
        "costophrenic (?:angle|sulcus) blunting",
    ), means=State.UNCERTAIN, is_stated=False),
    Phrase(("Fracture",), (
        "fractur(?:e[sd]?|ing)",
    )),
    Phrase(("Cavity",), (
        "cavit(?:y|ies|ation|ations)", "cavit(?:ary|ating) (?:lesions?|nodules?|mass(?:es)?|opacit(?:y|ies))",
    )),
    Phrase(("Nodule",), (
        "nodular (?:opacit(?:y|ies)|opacifications?|densit(?:y|ies)|lesions?)", "nodul(?:e|es|arity)",
        "mass(?:es)?",
    )),
    Phrase(("Lung Lesion",), (
        "carcinomas?", "neoplasms?", "tumou?rs?", "metasta(?:sis|ses|tic disease)",
        "(?:lung|pulmonary) lesions?", "malignanc(?:y|ies)",
    )),
    Phrase(("Pneumonia",), (
        "(?:broncho)?pneumonias?", "pneumonic", "infectious process(?:es)?",
        "(?:lung|pulmonary) infections?",
    )),
    Phrase(("Consolidation",), (
        "consolidat(?:ions?|ive|ed)",
    )),
    Phrase(("Atelectasis",), (
        "atelecta(?:sis|ses|tic)", "(?:lobar|lung|pulmonary|segmental|complete) collapse",
        "collapsed (?:lung|lobe)", r"collapse of (?:the )?(?:\w+ ){0,3}(?:lung|lobe)",
    )),
    Phrase(("Edema",), (
        "o?edema", "(?:congestive )?heart failure", "chf",
        "(?:pulmonary )?(?:venous |vascular )(?:congestion|prominence|engorgement)",
        "(?:pulmonary )?(?:venous |vascular )(?:indistinctness|redistribution)",
        "pulmonary congestion", "(?:fluid|volume) overload", "cephali[sz]ation", "kerley(?: b)? lines?",
    )),
    Phrase(("Lung Opacity",), (
        "opacit(?:y|ies)", "opacifications?", "infiltrat(?:es?|ions?)",
        "air-?space (?:diseases?|process(?:es)?)",
        "interstitial (?:lung )?(?:markings|prominence|thickening|diseases?|process|abnormalit(?:y|ies))",
        "reticulations?", "densit(?:y|ies)",
    )),
    Phrase(("Cardiomegaly",), (
        "cardiomegaly", "(?:cardiac|heart) enlargement",
        "enlargement of (?:the )?(?:heart|cardiac silhouette)",
    )),
    Phrase(("Enlarged Cardiomediastinum",), (
        "mediastinal (?:widening|enlargement)", "widening of (?:the )?mediastinum",
        "(?:widened|wide|enlarged) mediastinum",
    )),
    Phrase((SUPPORT_DEVICES,), (
        "pace-?makers?(?: leads?)?", "pacer(?: leads?| wires?)?",
        "(?:pacemaker|pacing|icd|defibrillator) (?:leads?|wires?)", "defibrillators?", "aicd", "icd",
        "(?:endotracheal|tracheostomy|nasogastric|orogastric|enteric|feeding|gastric|dobb?hoff) tubes?",
        "(?:chest|thoracostomy|pleural|ng|og|et) tubes?", "ett",
        "(?:pigtail|swan-?ganz|(?:central )?venous|dialysis|pulmonary artery) (?:catheters?|lines?)",
        "(?:subclavian|jugular) (?:catheters?|lines?)",
        "(?:central|picc|ij) (?:lines?|catheters?)", "picc", "catheters?", "port-?a-?caths?", "mediports?",
        "chest ports?", "infusion ports?", "(?:prosthetic|mechanical|artificial|mitral|aortic) valves?",
        "valve (?:replacement|prosthes[ie]s)", "(?:sternal|sternotomy|median sternotomy) wires?",
        "(?:surgical |vascular )?clips", "stents?", "balloon pumps?", "iabp", "tracheostom(?:y|ies)",
        "support devices?", "(?:monitoring|support) (?:and support )?devices?",
        "(?:spinal|orthopedic|fixation) hardware", "drains?",
    )),
    Phrase(("Calcification",), (
        "(?:calcified )?granulomas?", "calcifi(?:cations?|ed)", "granulomatous disease",
    )),
    Phrase(("Scarring",), (
        "scar(?:s|ring)?", "fibrosis", "fibrotic(?: changes?)?",
    )),
    Phrase(("Diaphragm Change",), (
        "(?:hiatal |diaphragmatic )?hernias?",
        "elevat(?:ed|ion of(?: the)?)(?: (?:left|right))? hemi-?diaphragm",
    )),
    Phrase(("Spinal Change",), (
        "(?:kypho|dextro|levo)?scolio(?:sis|tic)", "kyphosis",
        "degenerative (?:changes?|disease|disc disease)", "spondylosis", "osteophytes?",
        "compression deformit(?:y|ies)",
    )),
    Phrase(("Aortic Change",), (
        "(?:aortic|aorta) (?:tortuosity|ectasia|aneurysms?|dilatation|unfolding)",
        "tortuous (?:thoracic )?aorta", "aortic aneurysms?",
        "(?:tortuosity|ectasia|unfolding) of (?:the )?(?:thoracic )?aorta", "atherosclero(?:sis|tic)",
    )),
    # "No abnormality" denies everything at once; of "acute disease" it is the denial that says so.
    Phrase((NO_FINDING,), (
        rf"no (?:abnormalit(?:y|ies)|findings?){_NOT_OF}",
    )),
    Phrase((NO_FINDING,), (
        rf"{_ACUTE}(?:findings?|abnormalit(?:y|ies)|diseases?|process(?:es)?|pathology|illness){_NOT_OF}",
    ), means=State.ABSENT),
    Phrase((NO_FINDING,), (
        rf"(?:normal|unremarkable)(?: (?:frontal|portable|pa|ap|two view|lateral|adult))* {_EXAMINATION}",
    )),
)
# fmt: on
