"""What a researcher chooses for the next version of the gate's policy; the rules are the gate's own."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from django import forms

from rl_feedback.gate import POLICY, Direction, Guard, Policy, Suite
from rl_feedback.gate.policy import USUAL_GAINS

SUITES = {
    Suite.SEALED: "Sealed films",
    Suite.CANARIES: "Canaries",
    Suite.TWINS: "Sealed films over their twins",
    Suite.STEPS: "Reasoning steps on sealed films, by a learned scorer",
    Suite.PATIENTS: "Sealed patients of this site, by what their readers said",
}
HARMS = {
    Direction.HIGHER_IS_BETTER: "falls",
    Direction.LOWER_IS_BETTER: "rises",
    Direction.SHOULD_NOT_DRIFT: "drifts, as a share",
}

NO_GAIN, OWN_GAINS = "none", "own"
GAINS = (
    (NO_GAIN, "lose nothing; it need not gain anything"),
    ("usual", "lose nothing, and gain in one of the usual figures for sure"),
    (OWN_GAINS, "lose nothing, and gain for sure in one of the figures ticked below"),
)


@dataclass(frozen=True)
class GuardRow:
    """One figure on the form: its fields, `limit` and `gain` only where the figure has any."""

    guard: Guard
    harm: str
    is_guarded: forms.BoundField
    margin: forms.BoundField
    limit: forms.BoundField | None
    gain: forms.BoundField | None


class PolicyForm(forms.Form):
    """Begins with the policy that counts now; figures that it does not guard have the built-in margins."""

    confidence = forms.FloatField(
        label="Confidence of the intervals", widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    preference_margin = forms.FloatField(
        label="How far below a half readers may prefer it",
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    gains = forms.ChoiceField(label="To pass, a candidate must", choices=GAINS, widget=forms.RadioSelect)
    note = forms.CharField(label="Why it changes", max_length=500)

    def __init__(self, data: Any = None, *, current: Policy) -> None:
        self.current = current
        self._guards = {_key(guard): guard for guard in POLICY.guards}
        guarded = {_key(guard): guard for guard in current.guards}
        initial = {
            "confidence": current.confidence,
            "preference_margin": current.preference_margin,
            "gains": _asked(current),
        }
        super().__init__(data, initial=initial)
        for key, built_in in self._guards.items():
            guard = guarded.get(key, built_in)
            self.fields[f"guarded-{key}"] = _check(f"{guard.label}: guarded", is_on=key in guarded)
            self.fields[f"margin-{key}"] = _number(f"{guard.label}: margin", guard.margin)
            if _may_have_limit(guard):
                self.fields[f"limit-{key}"] = _number(f"{guard.label}: at most", guard.limit, needed=False)
            if guard.may_be_gained:
                is_on = initial["gains"] == OWN_GAINS and guard.figure in current.required_gains
                self.fields[f"gain-{key}"] = _check(f"{guard.label}: counts as a gain", is_on=is_on)

    @property
    def suites(self) -> Iterator[tuple[str, list[GuardRow]]]:
        """The figures as the page lists them."""
        for suite, title in SUITES.items():
            yield title, [self._row(key, g) for key, g in self._guards.items() if g.suite is suite]

    def content(self) -> dict[str, Any]:
        """Of a valid form: rl_feedback.gate.Policy as JSON, without its number."""
        chosen = self.cleaned_data
        guards = [
            replace(guard, margin=chosen[f"margin-{key}"], limit=chosen.get(f"limit-{key}"))
            for key, guard in self._guards.items()
            if chosen[f"guarded-{key}"]
        ]
        gains = [guard.figure for key, guard in self._guards.items() if self._is_gain(key, guard)]
        return {
            **self.current.as_json(),
            "guards": [asdict(guard) for guard in guards],
            "confidence": chosen["confidence"],
            "preference_margin": chosen["preference_margin"],
            "required_gains": gains,
        }

    def clean(self) -> dict[str, Any]:
        chosen: dict[str, Any] = super().clean() or {}
        ticked = any(chosen.get(f"gain-{key}") for key in self._guards)
        if chosen.get("gains") == OWN_GAINS and not ticked:
            self.add_error("gains", "Tick at least one figure under “Counts as a gain”.")
        elif chosen.get("gains") != OWN_GAINS and any(n.startswith("gain-") for n in self.changed_data):
            self.add_error("gains", "You ticked figures below: choose the last of these, or untick them.")
        return chosen

    def _is_gain(self, key: str, guard: Guard) -> bool:
        chosen = self.cleaned_data
        match chosen["gains"]:
            case "usual":
                return guard.figure in USUAL_GAINS and guard.may_be_gained and chosen[f"guarded-{key}"]
            case "own":
                return bool(chosen.get(f"gain-{key}"))
            case _:
                return False

    @property
    def usual_gains(self) -> str:
        labels = [g.label for g in self._guards.values() if g.figure in USUAL_GAINS and g.may_be_gained]
        return ", ".join(labels)

    def _row(self, key: str, guard: Guard) -> GuardRow:
        def field(kind: str) -> forms.BoundField | None:
            return self[f"{kind}-{key}"] if f"{kind}-{key}" in self.fields else None

        return GuardRow(
            guard,
            HARMS[guard.direction],
            self[f"guarded-{key}"],
            self[f"margin-{key}"],
            field("limit"),
            field("gain"),
        )


def _key(guard: Guard) -> str:
    return f"{guard.suite}-{guard.figure}"


def _may_have_limit(guard: Guard) -> bool:
    return guard.direction is Direction.LOWER_IS_BETTER and guard.suite not in (Suite.TWINS, Suite.PATIENTS)


def _asked(policy: Policy) -> str:
    """Which of GAINS it is."""
    usual = {guard.figure for guard in policy.guards if guard.may_be_gained} & set(USUAL_GAINS)
    if not policy.required_gains:
        return NO_GAIN
    return "usual" if set(policy.required_gains) == usual else OWN_GAINS


def _check(label: str, *, is_on: bool) -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, initial=is_on)


def _number(label: str, value: float | None, *, needed: bool = True) -> forms.FloatField:
    widget = forms.TextInput(attrs={"inputmode": "decimal", "size": 6, "aria-label": label})
    return forms.FloatField(label=label, required=needed, initial=value, widget=widget)
