"""A black box to compare with: a polynomial of past outputs and inputs, fitted by the error of its free run.

    y(t) = polynomial of degree d in y(t - k), ..., y(t - n k), u(t - k), ..., u(t - m k), held between the sensor's ends

Billings 2013, Nonlinear System Identification, chapters 2 and 3 (NARX; fitted to one step ahead it gives the start, Levenberg
and Marquardt then minimise the free run's error, with a small ridge). Nothing of tanks is in it, but where the sensor ends.

Run as a script it chooses the structure on the first 60 % of the cascaded tanks' record: python black_box_kit.py FILE
"""

import itertools
import sys
from dataclasses import dataclass

import numpy as np

RIDGE = 1e-4
LOW, HIGH = 0.0, 10.0  # V, where the sensor ends
CHOSEN = (1, 3, 6, 1)  # outputs, inputs, steps between them, degree; by `choose` over 72 structures


@dataclass(frozen=True)
class BlackBox:
    """A structure; what it is fitted to is standardised by what it has seen."""

    outputs: int
    inputs: int
    stride: int
    degree: int

    @property
    def terms(self):
        names = range(self.outputs + self.inputs)
        return [c for k in range(self.degree + 1) for c in itertools.combinations_with_replacement(names, k)]

    @property
    def memory(self):
        return self.stride * max(self.outputs, self.inputs)

    def features(self, past):
        return np.stack([np.prod(past[..., list(c)], axis=-1) if c else np.ones(past.shape[:-1]) for c in self.terms], -1)

    def past(self, y, u, t):
        """What is known before `t`; of several runs side by side where y is [steps, runs]."""
        lags = [t - self.stride * (i + 1) for i in range(max(self.outputs, self.inputs))]
        mine = [u[at] for at in lags[: self.inputs]]
        return np.stack([y[at] for at in lags[: self.outputs]] + [np.broadcast_to(m, y[lags[0]].shape) for m in mine], -1)

    def runs(self, weights, u, y, ends):
        """Run free from the first readings on, for many weights [runs, terms]: [steps, runs]."""
        z = np.repeat(y[:, None], len(weights), axis=1)
        for t in range(self.memory, len(y)):
            z[t] = np.clip(np.einsum("rt,rt->r", self.features(self.past(z, u, t)), weights), *ends)
        return z

    def fitted(self, u, y, ends, most=40):
        t = np.arange(self.memory, len(y))
        x, ridge = self.features(self.past(y, u, t)), RIDGE * len(t) * np.diag([0.0, *[1.0] * (len(self.terms) - 1)])
        w = np.linalg.solve(x.T @ x + ridge, x.T @ y[t])
        damping, step = 1e-3, 1e-5
        for _ in range(most):
            r = (self.runs(np.vstack([w, w + step * np.eye(len(w))]), u, y, ends) - y[:, None])[t]
            slope, gradient = (r[:, 1:] - r[:, :1]) / step, ridge @ w
            a, g = slope.T @ slope + ridge, slope.T @ r[:, 0] + gradient
            tried = damping * 10.0 ** np.arange(-2, 5)
            ws = np.array([w - np.linalg.solve(a + d * np.diag(np.diag(a) + 1e-9), g) for d in tried])
            costs = ((self.runs(ws, u, y, ends) - y[:, None])[t] ** 2).sum(0) + np.einsum("rt,tu,ru->r", ws, ridge, ws)
            best = int(np.nanargmin(costs))
            if not costs[best] < (r[:, 0] @ r[:, 0] + w @ gradient) * (1 - 1e-5):
                break
            w, damping = ws[best], max(tried[best], 1e-9)
        return w


def ran_free(structure, u, y, seen, until):
    """Fit to the first `seen` steps, run free from there on, beginning with the readings before: [until - seen]."""
    box = BlackBox(*structure)
    (mu, su), (my, sy) = ((a[:seen].mean(), a[:seen].std()) for a in (u, y))
    u, y, ends = (u - mu) / su, (y - my) / sy, ((LOW - my) / sy, (HIGH - my) / sy)
    weights = box.fitted(u[:seen], y[:seen], ends)
    rest = slice(seen - box.memory, until)
    return box.runs(weights[None], u[rest], y[rest], ends)[box.memory :, 0] * sy + my


def choose(u, y, early, seen, lead=10):
    """Judge structures as physics' own was: the first 40 % fitted, the next 20 % run free."""
    for structure in itertools.product((1, 2, 3), (1, 2, 3), (1, 3, 6), (1, 2, 3)):
        if len(BlackBox(*structure).terms) <= 35:
            error = ran_free(structure, u, y, early, seen)[lead:] - y[early + lead : seen]
            yield float(np.sqrt(np.mean(error**2))), structure


def chance(better, worse, block=40, draws=10_000):
    """Give how likely it is by chance that `better` has the smaller mean square error: circular blocks of errors that
    belong together are drawn again (Politis and Romano 1992)."""
    gain, rng = worse**2 - better**2, np.random.default_rng(0)
    starts = rng.integers(0, len(gain), (draws, -(-len(gain) // block)))
    drawn = gain[(starts[..., None] + np.arange(block)) % len(gain)].reshape(draws, -1)[:, : len(gain)]
    return float(np.mean(drawn.mean(axis=1) <= 0.0))


if __name__ == "__main__":
    d = np.genfromtxt(sys.argv[1], delimiter=",", skip_header=1)
    for error, structure in sorted(choose(d[:, 1], d[:, 2], len(d) * 4 // 10, len(d) * 6 // 10)):
        print(f"{error:.3f} V {structure}")
