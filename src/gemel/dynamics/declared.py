"""What a model declares, without what it computes: enough to bind it to a plant, to join it, to plan a question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn, Self

from gemel.dynamics.declare import Array, DynamicModel, Quantity, Values
from gemel.dynamics.ports import Port, ports_of
from gemel.errors import ModelError


@dataclass(frozen=True, eq=False)
class Declared:
    """The declaration of a model: a value that may cross from one process to another.

    Args:
        states, inputs, outputs, parameters: by name.
        ports: where it can be joined.
        traceable: whether the model itself can be traced; one that runs in a process of its own cannot.
        exchanged: whether one of these has equations at points all the same.
        stiff: whether it says that its time constants lie far apart.
    """

    states: Mapping[str, Quantity]
    inputs: Mapping[str, Quantity]
    outputs: Mapping[str, Quantity]
    parameters: Mapping[str, Quantity]
    ports: Mapping[str, Port] = field(default_factory=dict)
    traceable: bool = True
    exchanged: bool = False
    stiff: bool = False

    @classmethod
    def of(cls, model: DynamicModel) -> Self:
        """Take the declaration of a model; of plain values only, whatever classes of its own a model declares by."""
        ports = {str(n): Port(str(p.kind), p.potential, p.flow, bool(p.out)) for n, p in ports_of(model).items()}
        return cls(
            _plain(model.states), _plain(model.inputs), _plain(model.outputs), _plain(model.parameters), ports,
            bool(getattr(model, "traceable", True)), bool(getattr(model, "exchanged", False)),
            bool(getattr(model, "stiff", False)),
        )  # fmt: skip

    def derivative(self, t: Array, x: Values, u: Values, p: Values) -> NoReturn:
        """Refuse: nothing is known of its equations."""
        raise _only_declared()

    def output(self, t: Array, x: Values, u: Values, p: Values) -> NoReturn:
        """Refuse: nothing is known of its equations."""
        raise _only_declared()


def _plain(kind: Mapping[str, Quantity]) -> dict[str, Quantity]:
    return {
        str(n): Quantity(str(q.unit), float(q.start), float(q.low), float(q.high), float(q.nominal), str(q.description))
        for n, q in kind.items()
    }  # fmt: skip


def _only_declared() -> ModelError:
    return ModelError(
        "only what the model declares is known here, not its equations", code="model-foreign", remedy="load the model itself"
    )
