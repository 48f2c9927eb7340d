"""Verdicts on regions are weighed by how each reader errs, and control cases measure the readers."""

import numpy as np
import pytest

from rl_feedback.agreement import dawid_skene
from rl_feedback.raters import VERDICTS, fit_verdicts
from tests.rl_feedback.agreement_examples import told

READERS = 6
# How often each kind of reader gives each verdict to what truly fits, must be redrawn, or is wrong.
CAREFUL = np.array([[0.92, 0.06, 0.02], [0.1, 0.85, 0.05], [0.03, 0.07, 0.9]])
CARELESS = np.array([[0.6, 0.25, 0.15], [0.3, 0.5, 0.2], [0.3, 0.3, 0.4]])
SHARES = np.array([0.7, 0.2, 0.1])


def simulate(*, num_items: int, seed: int, per_item: int = 3, careless: tuple[int, ...] = (0,)):
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, num_items, p=SHARES)
    items, readers, verdicts = [], [], []
    for item in range(num_items):
        for reader in rng.choice(READERS, per_item, replace=False).tolist():
            table = CARELESS if reader in careless else CAREFUL
            items.append(item)
            readers.append(reader)
            verdicts.append(VERDICTS[rng.choice(3, p=table[truth[item]])])
    return truth, items, readers, verdicts


def test_accuracy_of_readers_is_recovered_and_the_truth_found_more_often_than_by_majority() -> None:
    truth, items, readers, verdicts = simulate(num_items=1500, seed=1, careless=(0, 1))
    found = fit_verdicts(items, readers, verdicts)
    for reader in found.readers:
        expected = SHARES @ np.diag(CARELESS if reader.reader in (0, 1) else CAREFUL)
        assert reader.accuracy == pytest.approx(expected, abs=0.05)
    counts = np.zeros((1500, 3))
    np.add.at(counts, (items, [VERDICTS.index(verdict) for verdict in verdicts]), 1)
    assert (found.shares.argmax(axis=1) == truth).mean() > (counts.argmax(axis=1) == truth).mean() + 0.02


def test_shares_come_true_as_often_as_they_say() -> None:
    truth, items, readers, verdicts = simulate(num_items=3000, seed=2)
    found = fit_verdicts(items, readers, verdicts)
    for verdict in range(3):
        for low, high in ((0.05, 0.35), (0.35, 0.65), (0.65, 0.95)):
            chosen = (found.shares[:, verdict] >= low) & (found.shares[:, verdict] < high)
            assert chosen.sum() > 20
            assert (truth[chosen] == verdict).mean() == pytest.approx(
                found.shares[chosen, verdict].mean(), abs=0.13
            )


def test_intervals_of_accuracy_hold_the_truth_about_as_often_as_they_say() -> None:
    held = []
    for seed in range(20):
        _, items, readers, verdicts = simulate(num_items=250, seed=seed)
        for reader in fit_verdicts(items, readers, verdicts).readers:
            low, high = told(reader.accuracy_interval)
            expected = SHARES @ np.diag(CARELESS if reader.reader == 0 else CAREFUL)
            held.append(low <= expected <= high)
    assert np.mean(held) > 0.85


def test_controls_show_that_all_readers_let_wrong_regions_pass() -> None:
    """Nobody ever says wrong; without controls that looks like agreement."""
    rng = np.random.default_rng(3)
    items = np.repeat(np.arange(200), 3)
    readers = np.tile([0, 1, 2], 200)
    verdicts = np.where(rng.random(600) < 0.9, "fits", "adjusted").tolist()
    blind = fit_verdicts(items, readers, verdicts)
    controls = {int(item): "wrong" for item in range(0, 200, 4)}
    seen = fit_verdicts(items, readers, verdicts, known=controls)
    assert all(told(reader.accuracy) > 0.8 for reader in blind.readers)
    assert all(told(reader.accuracy) < 0.75 for reader in seen.readers)
    assert seen.shares_of(0)["wrong"] == 1
    assert seen.label(0, values=(1, 0.5, 0)).num_effective_readers == 4
    assert seen.observers.num_known == 50


def test_known_items_set_readers_right_who_agree_on_swapped_words() -> None:
    items, readers = list(range(8)) * 2, ["Ann"] * 8 + ["Bob"] * 8
    words = ["fits", "wrong"] * 4
    swapped = dict(enumerate(["wrong", "fits"] * 4))
    free = dawid_skene(items, readers, words * 2)
    known = dawid_skene(items, readers, words * 2, known={item: swapped[item] for item in range(4)})
    place = free.classes.index("fits")
    assert free.posteriors[6, place] > 0.9
    assert known.posteriors[6, place] < 0.1


def test_without_gold_and_prior_it_is_the_plain_method_and_a_prior_is_labels_seen_before() -> None:
    _, items, readers, verdicts = simulate(num_items=80, seed=4)
    plain = dawid_skene(items, readers, verdicts)
    same = dawid_skene(
        items, readers, verdicts, known={}, weights=np.ones(len(items)), classes=sorted(VERDICTS)
    )
    assert same.value == plain.value
    assert (same.posteriors == plain.posteriors).all()
    strong = dawid_skene(items, readers, verdicts, prior_counts=1e9 * (np.eye(3) * 7 + 1))
    assert strong.confusions[0] == pytest.approx(np.full((3, 3), 0.1) + 0.7 * np.eye(3), abs=1e-4)
    doubled = dawid_skene([*items, *items], [*readers, *readers], [*verdicts, *verdicts])
    weighed = dawid_skene(items, readers, verdicts, weights=np.full(len(items), 2.0))
    assert weighed.value == pytest.approx(doubled.value)


def test_posteriors_follow_from_the_error_rates_by_bayes_rule() -> None:
    _, items, readers, verdicts = simulate(num_items=60, seed=5)
    found = fit_verdicts(items, readers, verdicts)
    observers = found.observers
    for item in (0, 7, 31):
        joint = observers.priors.copy()
        for one, reader, verdict in zip(items, readers, verdicts, strict=True):
            if one == item:
                joint = joint * observers.confusions[reader, :, VERDICTS.index(verdict)]
        assert list(found.shares_of(item).values()) == pytest.approx(joint / joint.sum(), abs=1e-4)


def test_a_region_that_one_reader_keeps_and_another_takes_out_is_disputed_until_it_is_settled() -> None:
    columns = (["r", "r", "s", "s"], ["Ann", "Bob", "Ann", "Bob"], ["fits", "wrong", "fits", "fits"])
    found = fit_verdicts(*columns)
    assert found.label("r", values=(1, 0.5, 0)).is_disputed
    assert not found.label("s", values=(1, 0.5, 0)).is_disputed
    settled = fit_verdicts(*columns, known={"r": "wrong"}).label("r", values=(1, 0.5, 0))
    assert (settled.is_disputed, settled.is_settled, settled.mean, settled.variance) == (False, True, 0, 0)


def test_moving_a_region_against_leaving_it_is_no_dispute() -> None:
    found = fit_verdicts(["r", "r"], ["Ann", "Bob"], ["fits", "adjusted"])
    label = found.label("r", values=(1, 0.6, 0))
    assert not label.is_disputed
    assert 0.6 < label.mean < 1


def test_a_label_is_worth_what_its_verdicts_are_worth() -> None:
    found = fit_verdicts(["r", "r", "r"], ["Ann", "Bob", "Cem"], ["fits", "fits", "adjusted"])
    shares = found.shares_of("r")
    label = found.label("r", values=(1, 0.5, 0))
    mean = shares["fits"] + 0.5 * shares["adjusted"]
    assert label.mean == pytest.approx(mean)
    assert label.variance == pytest.approx(shares["fits"] + 0.25 * shares["adjusted"] - mean**2)
    assert label.num_readers == 3


def test_a_reader_who_says_the_same_twice_is_still_one_reader() -> None:
    once = fit_verdicts(["r", "r"], ["Ann", "Bob"], ["fits", "wrong"])
    twice = fit_verdicts(["r", "r", "r"], ["Ann", "Ann", "Bob"], ["fits", "fits", "wrong"])
    assert twice.shares == pytest.approx(once.shares)
    assert [reader.consistency for reader in twice.readers] == [1.0, None]
    unsteady = fit_verdicts(["r", "r"], ["Ann", "Ann"], ["fits", "wrong"])
    assert unsteady.readers[0].consistency == 0.0


def test_a_reader_alone_is_believed_for_the_most_part_and_gets_no_accuracy() -> None:
    found = fit_verdicts(["r", "s"], ["Ann", "Ann"], ["fits", "wrong"])
    assert 0.6 < found.shares_of("s")["wrong"] < 0.99
    assert (found.readers[0].accuracy, found.readers[0].strictness) == (None, None)
    assert "One reader alone" in found.note
    assert "assumed, not measured" in found.note


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (([], [], []), "There are no verdicts"),
        ((["r"], ["Ann"], ["good"]), "A verdict is fits, adjusted, wrong; one is good"),
        ((["r"], ["Ann", "Bob"], ["fits"]), "equally long: items 1, readers 2, verdicts 1"),
    ],
)
def test_what_is_no_set_of_verdicts_is_refused_with_the_way_out(columns, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        fit_verdicts(*columns)


def test_gold_outside_the_classes_and_priors_of_the_wrong_size_are_refused() -> None:
    with pytest.raises(ValueError, match="odd is not among the classes"):
        dawid_skene(["r"], ["Ann"], ["fits"], known={"r": "odd"})
    with pytest.raises(ValueError, match="prior_counts must be 1 x 1"):
        dawid_skene(["r"], ["Ann"], ["fits"], prior_counts=np.ones((3, 3)))
