"""The hospitals whose films are drawn: who is filmed there, how plainly it shows, and on what detector."""

from __future__ import annotations

from dataclasses import dataclass

from inference.phantom_truth import ALL_LESIONS, LESIONS


@dataclass(frozen=True)
class Patients:
    """Who comes to a site; lengths are shares of the film.

    `lesion_chances` say how common each of `lesions` is, `num_lesions` are the chances of 0, 1, 2, …; with
    `shares_lungs` two may lie in one lung. `lesion_size` is their size against the first site's. `stream`
    tells one site's patients from another's.
    """

    width: tuple[float, float]
    height: tuple[float, float]
    off_centre: tuple[float, float]
    large_hearts: float
    flesh: float
    lesions: tuple[str, ...]
    lesion_chances: tuple[float, ...]
    num_lesions: tuple[float, ...]
    shares_lungs: bool
    lesion_size: float
    stream: int


@dataclass(frozen=True)
class Detector:
    """What a film loses on its way; 0 leaves it out.

    `blur` is the point spread's standard deviation in shares of the film's width, `tone` the power that grey
    values are raised to, `heel` how much darker the feet's end is, `grid_lines` the depth of the stripes that
    an anti-scatter grid leaves, `grid_pitch` their distance, `line_noise` how far rows differ. With a
    `lattice` the grain is drawn on so many points across: it is as coarse at every film size.
    """

    noise: float
    blur: float = 0.0
    tone: float = 1.0
    heel: float = 0.0
    grid_lines: float = 0.0
    grid_pitch: float = 0.0
    line_noise: float = 0.0
    lattice: int = 0


@dataclass(frozen=True)
class Site:
    """One hospital. `contrast` is how plainly findings show; `drawing` counts up when its films change."""

    name: str
    contrast: float
    exposure: float
    patients: Patients
    detector: Detector
    drawing: int


FIRST_SITE_PATIENTS = Patients(
    width=(0.9, 1.05),
    height=(0.93, 1.05),
    off_centre=(0.025, 0.02),
    large_hearts=0.33,
    flesh=0.0,
    lesions=LESIONS,
    lesion_chances=(0.25, 0.25, 0.25, 0.25),
    num_lesions=(0.3, 0.42, 0.28),
    shares_lungs=False,
    lesion_size=1.0,
    stream=0,
)

# Whose truth a model that serves may learn from; of any other site it learns from ratings alone.
TAUGHT_SITES = ("first",)

SITES = {
    "first": Site(
        name="first",
        contrast=1.0,
        exposure=1.0,
        patients=FIRST_SITE_PATIENTS,
        detector=Detector(noise=0.012),
        drawing=1,
    ),
    "second": Site(
        name="second",
        contrast=0.82,
        exposure=0.85,
        patients=Patients(
            width=(0.82, 0.95),
            height=(0.88, 1.0),
            off_centre=(0.035, 0.03),
            large_hearts=0.33,
            flesh=0.05,
            lesions=ALL_LESIONS,
            lesion_chances=(0.18, 0.18, 0.18, 0.18, 0.28),
            num_lesions=(0.25, 0.35, 0.28, 0.12),
            shares_lungs=True,
            lesion_size=0.92,
            stream=2,
        ),
        detector=Detector(
            noise=0.016,
            blur=0.005,
            tone=0.85,
            heel=0.12,
            grid_lines=0.02,
            grid_pitch=1 / 26,
            line_noise=0.006,
            lattice=112,
        ),
        drawing=2,
    ),
}
