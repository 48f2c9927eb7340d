"""The published examples that the statistics of agreement are held against, as their sources print them."""

from math import nan
from typing import TypeVar

import numpy as np

Told = TypeVar("Told")


def told(figure: Told | None) -> Told:
    """A figure that must exist here."""
    assert figure is not None
    return figure


# Krippendorff, Computing Krippendorff's alpha-reliability (2011): 4 observers, 12 units.
KRIPPENDORFF = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
    [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
]

# irrCAC, the package to Gwet's Handbook of Inter-Rater Reliability (2014): its data set cac.raw4raters, 4
# raters and 12 units, with the figures that it prints.
GWET = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, nan],
    [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 3],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
]

# The same package, cont3x3abstractors: ectopic, abnormal and normal pregnancies by two abstractors.
ABSTRACTORS = [[13, 0, 0], [0, 20, 7], [0, 4, 56]]

# Cohen, Weighted kappa (1968): shares of 200 patients, as counts.
COHEN = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
COHEN_DISAGREEMENT = [[0, 1, 3], [1, 0, 6], [3, 6, 0]]

# Fleiss (1971): 30 patients, 6 psychiatrists, 5 diagnoses; a digit per diagnosis.
_PATIENTS_OF_FLEISS = (
    "00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031 "
    "00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"
)
FLEISS = [[int(digit) for digit in patient] for patient in _PATIENTS_OF_FLEISS.split()]

# Shrout and Fleiss (1979): 6 targets, 4 judges.
SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]

# NAG Library, routine G08DAF: 3 rankings of 10 objects, with ties.
NAG_RANKS = [
    [1.0, 4.5, 2.0, 4.5, 3.0, 7.5, 6.0, 9.0, 7.5, 10.0],
    [2.5, 1.0, 2.5, 4.5, 4.5, 8.0, 9.0, 6.5, 10.0, 6.5],
    [2.0, 1.0, 4.5, 4.5, 4.5, 4.5, 8.0, 8.0, 8.0, 10.0],
]

# Zar, Biostatistical Analysis (2010), example 20.5: wing, tail and bill lengths of 12 birds.
ZAR_BIRDS = [
    [10.4, 10.8, 11.1, 10.2, 10.3, 10.2, 10.7, 10.5, 10.8, 11.2, 10.6, 11.4],
    [7.4, 7.6, 7.9, 7.2, 7.4, 7.1, 7.4, 7.2, 7.8, 7.7, 7.8, 8.3],
    [17.0, 17.0, 20.0, 14.5, 15.5, 13.0, 19.5, 16.0, 21.0, 20.0, 18.0, 22.0],
]

# Dawid and Skene (1979): 45 patients; observer 1 saw each three times, observers 2 to 5 once.
_ANAESTHETISTS = (
    "1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343 "
    "1111111 2223212 1211111 1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 "
    "1111111 1111111 2322222 1111111 1111111 1121121 1111111 3333233 1111111 2222222 2223232 4334343 "
    "2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111 2222222"
)
_LABELS = [
    (f"patient {number}", f"observer {observer}", int(label))
    for number, patient in enumerate(_ANAESTHETISTS.split(), 1)
    for observer, label in zip("1112345", patient, strict=True)
]
PATIENTS, OBSERVERS, CLASSES_GIVEN = (list(column) for column in zip(*_LABELS, strict=True))

# Van Dyke et al. (1993), the data set VanDyke of the packages MRMCaov and RJafroc: confidence of 5 readers in
# an aortic dissection, on spin echo and on cine MRI; the first 69 patients without one, the last 45 with one.
_SPIN_ECHO = (
    (
        "1221511111 1141111111 1131311214 1111131212 1123313113 3111111221 111332111",
        "5555455545 5543424555 5555154454 5535551155 54451",
    ),
    (
        "2322222223 2252223222 2222422223 2222222222 2222222222 2222222432 232222222",
        "5355555425 5544222555 5555243354 5524252255 55352",
    ),
    (
        "2222351122 4242223222 1232411322 1122241214 1211222222 3211211221 151421212",
        "5455555555 5554235555 5555252255 5525552255 55552",
    ),
    (
        "1111113111 1111111111 2111211112 1111111111 1111111133 1111111111 111311111",
        "5555555555 5555515555 5555554544 5535551255 55555",
    ),
    (
        "3512111122 2121112211 3221111211 2112312211 1333211121 1111111341 231212113",
        "5252555515 4545223555 5554144322 1515151155 53552",
    ),
)
_CINE = (
    (
        "3332222232 1312222221 1111421312 2143231231 2223311133 3113412421 241442111",
        "5355555545 5554433555 5555355355 5544555355 55551",
    ),
    (
        "3222222232 2222212222 1222322222 2122122222 3122322222 2222322322 222222122",
        "5355555525 5534424545 5545252355 5324255255 55552",
    ),
    (
        "2422223222 1113222212 1121411512 1121222122 2113211123 3113221232 341242121",
        "5255555555 5535414555 5555253355 5435555345 55551",
    ),
    (
        "2211113121 1112211121 1111321212 1111221121 1111212121 2211111212 111323211",
        "5455555545 5545555555 5555455445 5555555355 55555",
    ),
    (
        "2231222212 2211122212 2212322321 2122221121 2113212233 2122221222 231233111",
        "5254555554 5534333555 5555251332 5325455335 55553",
    ),
)


def _ratings(treatment):
    return [[int(rating) for rating in "".join(reader).replace(" ", "")] for reader in treatment]


VAN_DYKE_TRUTH = [False] * 69 + [True] * 45
VAN_DYKE = np.array([_ratings(_SPIN_ECHO), _ratings(_CINE)])
