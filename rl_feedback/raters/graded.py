"""The machine below ratings and votes: readers of unequal severity and sharpness who judge hidden qualities.

Reader r puts an item of quality t above step k of the scale with probability

    sigmoid(a_r * (t + u - o * s_r - b_k)),

a_r the reader's discrimination, s_r the severity, b_k the steps that all share, o the orientation (+1; of a
vote -1 where the sides stand the other way round), and u this reader's lasting opinion of this item, with
standard deviation omega, which hidden repeats alone can tell from noise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy

from rl_feedback.raters.answers import Answers, column_sums
from rl_feedback.raters.cells import Cells, Floats, only
from rl_feedback.raters.fitted import Belief, Columns, Fitted, Scale, log_shares, opinion_nodes
from rl_feedback.raters.labels import precision_of

# The free numbers in order: steps of the scale, the typical reader's log discrimination, log omega where
# there are repeats, each reader's log discrimination, each reader's severity.
MOST_SPREADS = 20.0  # of each free number's prior, to either side
_BLOCKS = ("steps", "typical", "omega", "log_a", "severity")


class GradedModel:
    """The marginal likelihood of all that was said, the items' qualities summed over `nodes`, and its
    gradient (R. D. Bock and M. Aitkin, Marginal maximum likelihood estimation of item parameters (1981),
    Psychometrika 46, 443-459). `log_prior` is over nodes, or items x nodes."""

    def __init__(
        self,
        cells: Cells,
        scale: Scale,
        *,
        num_items: int,
        num_readers: int,
        nodes: Floats,
        log_prior: Floats,
    ) -> None:
        self.scale, self.nodes, self.log_prior = scale, nodes, log_prior
        self.num_readers = num_readers
        columns = Columns(cells, num_items=num_items)
        self.given, self.reader, self.counts = columns.given, columns.reader, columns.counts
        self.turned = self.given.T.tocsr()
        place = np.arange(len(self.reader))
        self.of_reader = scipy.sparse.csr_matrix(
            (np.ones(len(place)), (self.reader, place)), shape=(num_readers + 1, len(place))
        )
        self.own = only(cells, cells.reader < num_readers)
        self.has_repeats = bool((self.own.num_said > 1).any())
        ends = np.cumsum([0, len(scale.free_steps), 1, int(self.has_repeats), num_readers, num_readers])
        self.at = {
            name: slice(int(first), int(last))
            for name, first, last in zip(_BLOCKS, ends[:-1], ends[1:], strict=True)
        }
        self.prior = self._prior()

    def fit(self, start: Floats | None = None) -> tuple[Fitted, Floats]:
        """The most probable readers, and the free numbers from which a further fit may start."""
        x = self.prior[0] if start is None else start
        numbers = _Numbers(self, x)
        # In directions of equal curvature the search takes a third of the rounds.
        posterior = np.exp(self._log_posterior(numbers)[0])
        curved = scipy.linalg.cholesky(self._information(numbers, posterior), lower=True)

        def objective(turned: Floats) -> tuple[float, Floats]:
            value, slope = self.objective(
                x + scipy.linalg.solve_triangular(curved, turned, trans=1, lower=True)
            )
            return value, scipy.linalg.solve_triangular(curved, slope, lower=True)

        found = scipy.optimize.minimize(
            objective,
            np.zeros_like(x),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 1000, "maxcor": 30, "ftol": 1e-13, "gtol": 1e-5},
        )
        x = x + scipy.linalg.solve_triangular(curved, found.x, trans=1, lower=True)
        numbers = _Numbers(self, x)
        log_posterior, log_evidence = self._log_posterior(numbers)
        fitted = Fitted(
            scale=self.scale,
            steps=numbers.steps,
            log_a=numbers.log_a,
            severity=numbers.severity,
            typical_log_a=float(x[self.at["typical"]][0]),
            mean_precision=float(precision_of(numbers.log_a[self.own.reader], numbers.omega).mean()),
            omega=numbers.omega,
            covariance=self._covariance(numbers, np.exp(log_posterior)),
            log_likelihood=float(log_evidence.sum()),
            num_rounds=int(found.nit),
            converged=bool(found.success),
        )
        return fitted, np.asarray(x)

    def objective(self, x: Floats) -> tuple[float, Floats]:
        """Minus the log of the posterior density of the free numbers, and its gradient. Out of reach of what
        is believed, where a search's first steps may try, the likelihood stands still: discriminations and
        steps there are no numbers any more."""
        reach = MOST_SPREADS / np.sqrt(self.prior[1])
        inside = np.clip(x, self.prior[0] - reach, self.prior[0] + reach)
        numbers = _Numbers(self, inside)
        log_joint = self.given @ numbers.log_likelihood + self.log_prior
        highest = log_joint.max(axis=1, keepdims=True)
        joint = np.exp(log_joint - highest)
        total = joint.sum(axis=1, keepdims=True)
        away = self._away(x)
        slope = self.prior[1] * away
        slope[self.at["typical"]] -= slope[self.at["log_a"]].sum()
        value = 0.5 * float((self.prior[1] * away**2).sum()) - float((np.log(total) + highest).sum())
        return value, slope - numbers.gradient(self.turned @ (joint / total)) * (x == inside)

    def _prior(self) -> tuple[Floats, Floats]:
        """Mean and precision of every free number. A reader's log discrimination is centred on the typical
        reader's, whatever that is."""
        scale, many = self.scale, self.num_readers
        beliefs = [*scale.free_steps, scale.log_discrimination, *[scale.log_omega] * self.has_repeats]
        beliefs += [Belief(scale.log_discrimination.mean, scale.spread_of_log_discrimination)] * many
        beliefs += [Belief(0.0, scale.spread_of_severity)] * many
        return np.array([b.mean for b in beliefs]), np.array([b.sd**-2.0 for b in beliefs])

    def _away(self, x: Floats) -> Floats:
        away = x - self.prior[0]
        away[self.at["log_a"]] = x[self.at["log_a"]] - x[self.at["typical"]]
        return away

    def _covariance(self, numbers: _Numbers, posterior: Floats) -> Floats:
        """Of the readers' numbers, given all that was said."""
        covariance = scipy.linalg.inv(self._information(numbers, posterior))
        first = self.at["log_a"].start
        return np.asarray(covariance[first:, first:])

    def _information(self, numbers: _Numbers, posterior: Floats) -> Floats:
        """Prior precision plus the outer products of the items' scores (E. K. Berndt et al., Estimation and
        inference in nonlinear structural models (1974), Ann Econ Soc Meas 3, 653-665)."""
        scores = numbers.scores(posterior)
        information = (scores.T @ scores).toarray() + np.diag(self.prior[1])
        log_a, typical = self.at["log_a"], self.at["typical"].start
        tie = self.scale.spread_of_log_discrimination**-2.0
        information[typical, typical] += tie * self.num_readers
        information[typical, log_a] -= tie
        information[log_a, typical] -= tie
        return np.asarray(information)

    def _log_posterior(self, numbers: _Numbers) -> tuple[Floats, Floats]:
        """Items x nodes, and the logarithm of each item's evidence."""
        log_joint = self.given @ numbers.log_likelihood + self.log_prior
        log_posterior = log_shares(log_joint)
        return log_posterior, log_joint[:, :1] - log_posterior[:, :1]


class _Numbers:
    """All that follows from one choice of the free numbers."""

    def __init__(self, model: GradedModel, x: Floats) -> None:
        self.model, scale, at = model, model.scale, model.at
        self.num_free = len(x)
        self.steps, self.change_of_steps = scale.steps(x[at["steps"]])
        self.log_a = np.concatenate([x[at["log_a"]], x[at["typical"]]])
        self.severity = np.append(x[at["severity"]], 0.0)
        self.omega = float(np.exp(x[at["omega"]][0])) if model.has_repeats else None
        self.opinions, log_weights = opinion_nodes(self.omega)
        self.answers = Answers(
            scale.orientations, self.log_a, self.severity, self.steps, model.nodes, self.opinions
        )
        by_opinion = column_sums(model.counts, self.answers.log_p, model.reader) + log_weights
        self.log_likelihood = (
            scipy.special.logsumexp(by_opinion, axis=-1) if model.has_repeats else by_opinion[..., 0]
        )
        self.of_opinion = np.exp(by_opinion - self.log_likelihood[..., None])

    def gradient(self, expected: Floats) -> Floats:
        """Of the log-likelihood: by Fisher's identity the expected gradient of the complete one."""
        model = self.model
        flat = (expected[..., None] * self.of_opinion).reshape(len(model.reader), -1)
        shape = (len(self.log_a), len(model.nodes), len(self.opinions))
        kinds = [(model.of_reader @ (count[:, None] * flat)).reshape(shape) for count in model.counts.T]
        weights = np.stack(kinds, axis=1)
        gradient = np.zeros(self.num_free)
        for name, table in self.answers.slopes().items():
            of_readers = (weights * table).sum(axis=(1, 2, 3))
            gradient[model.at[name]] = of_readers[:-1]
            if name == "log_a":
                gradient[model.at["typical"]] = of_readers[-1]
        of_steps = np.array([(weights * table).sum() for table in self.answers.slopes_of_steps()])
        gradient[model.at["steps"]] = of_steps @ self.change_of_steps
        if model.has_repeats:
            gradient[model.at["omega"]] = (weights * self.answers.slope_of_place() * self.opinions).sum()
        return gradient

    def scores(self, posterior: Floats) -> Any:
        """Items x free numbers, sparse: each item's own gradient of its log-likelihood."""
        model = self.model
        item = np.repeat(np.arange(model.given.shape[0]), np.diff(model.given.indptr))
        column = model.given.indices
        reader = model.reader[column]
        is_known = reader == model.num_readers
        rows: list[Any] = []

        def add(place: Any, table: Floats) -> None:
            by_column = (column_sums(model.counts, table, model.reader) * self.of_opinion).sum(axis=-1)
            told = np.einsum("nq,nq->n", posterior[item], by_column[column])
            rows.append((told, np.broadcast_to(place, item.shape)))

        slopes = self.answers.slopes()
        nowhere = self.num_free
        add(np.where(is_known, model.at["typical"].start, model.at["log_a"].start + reader), slopes["log_a"])
        add(np.where(is_known, nowhere, model.at["severity"].start + reader), slopes["severity"])
        tables = np.stack(list(self.answers.slopes_of_steps()))
        for free, change in enumerate(self.change_of_steps.T, start=model.at["steps"].start):
            add(free, np.tensordot(change, tables, axes=1))
        if model.has_repeats:
            add(model.at["omega"].start, self.answers.slope_of_place() * self.opinions)
        told, place = (np.concatenate(parts) for parts in zip(*rows, strict=True))
        shape = (model.given.shape[0], self.num_free + 1)
        scores = scipy.sparse.csr_matrix((told, (np.tile(item, len(rows)), place)), shape=shape)
        return scores[:, :nowhere]
