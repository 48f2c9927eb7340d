"""What readers say, as codes of DICOM: the platform's own coding scheme (docs/reference/dicom-codes.md)."""

from dataclasses import dataclass

SCHEME = "99DMXR"
SCHEME_NAME = "DeepMedix Review: what readers say of models' reasoning"
# Of PS3.3 table 10-1 and PS3.5 section 6.2: a code value is a short, its meaning a long string.
LONGEST_VALUE, LONGEST_MEANING = 16, 64


@dataclass(frozen=True)
class Code:
    value: str
    meaning: str


# Concepts: what is said.
PLAUSIBILITY = Code("PLAUSIBILITY", "Plausibility of the reasoning step")
VERDICT = Code("REGION-VERDICT", "Verdict on the model's region")
PROBLEM = Code("REGION-PROBLEM", "What is wrong with the region as the model wrote it")
RELEVANCE = Code("RELEVANCE", "Relevance of the answer")
CORRECTNESS = Code("CORRECTNESS", "Correctness of the answer")
COMPLETENESS = Code("COMPLETENESS", "Completeness of the answer")
HARM = Code("HARM", "Harm that would follow if the answer were acted on")
CONCEPTS = (PLAUSIBILITY, VERDICT, PROBLEM, RELEVANCE, CORRECTNESS, COMPLETENESS, HARM)

# Kinds of measurement groups.
MODEL_STEP = Code("MODEL-STEP", "Reasoning step of the model")
MODEL_ANSWER = Code("MODEL-ANSWER", "Answer of the model")
ADJUSTED = Code("ADJUSTED-REGION", "Region of the model where the reader put it")
STEP_REGION = Code("STEP-REGION", "Region that the reader drew for a step")
MISSED_FINDING = Code("MISSED-FINDING", "Finding of the reader that the model missed")
FIRST_READ = Code("FIRST-READ", "Region that the reader drew before seeing the model's")
KINDS = (MODEL_STEP, MODEL_ANSWER, ADJUSTED, STEP_REGION, MISSED_FINDING, FIRST_READ)

# Values, each by what the database has.
POINTS = {points: Code(f"{points}-OF-5", f"{points} of 5") for points in range(1, 6)}
CANNOT_JUDGE = Code("CANNOT-JUDGE", "The reader could not judge it")
VERDICTS = {
    "fits": Code("FITS", "The region fits"),
    "adjusted": Code("ADJUSTED", "The reader put the region elsewhere"),
    "wrong": Code("WRONG", "The region is wrong"),
}
PROBLEMS = {
    "inverted": Code("INVERTED", "Its edges are the wrong way round: it has no coordinates"),
    "no_area": Code("NO-AREA", "It has no area: it has no coordinates"),
    "outside_image": Code("OUTSIDE-IMAGE", "It leaves the film: cut at the film's edge"),
    "whole_image": Code("WHOLE-IMAGE", "It covers nearly the whole film"),
}
HARMS = {
    "none": Code("HARM-NONE", "No harm"),
    "mild": Code("HARM-MILD", "Mild harm"),
    "severe": Code("HARM-SEVERE", "Severe harm"),
}
VALUES = (
    *POINTS.values(),
    CANNOT_JUDGE,
    *VERDICTS.values(),
    *PROBLEMS.values(),
    *HARMS.values(),
)
EVERY_CODE = (*CONCEPTS, *KINDS, *VALUES)
