"""Balances that always hold between signals: what flows in flows out, and two meters of one thing show the same.

`balances: {header: pump-1/flow + pump-2/flow = main/flow}` needs no dynamic model: who estimates reconciles the readings with it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gemel.assets.fleet import Fleet
from gemel.assets.node import Node
from gemel.assets.problem import Problems, did_you_mean
from gemel.assets.spec import Signal, Template
from gemel.samples.units import fits

Found = tuple[str, str]  # words, remedy


@dataclass(frozen=True, slots=True)
class Balance:
    """A balance.

    Args:
        name: of it.
        terms: paths of signals, each with its factor; their sum is zero.
    """

    name: str
    terms: tuple[tuple[str, float], ...]


def balanced_names(section: Node | None) -> frozenset[str]:
    """Give the names of the signals, without their assets, that stand in balances."""
    texts = [] if section is None else [str(n.value) for n in section.fields.values()]
    return frozenset(word.rpartition("/")[2] for text in texts for word in text.split() if "/" in word)


def read_balances(section: Node | None, plant: tuple[str, Fleet, tuple[Template, ...]], problems: Problems) -> tuple[Balance, ...]:
    """Read the balances of a plant file.

    Args:
        section: `balances:` of the file.
        plant: its root, its assets, and what assets of a kind have in common.
        problems: where to report.
    """
    found = []
    for name, node in (section.fields if section is not None else {}).items():
        terms = _terms(str(node.value))
        if terms is None or len(terms) < 2:
            problems.error(node, f"{str(node.value)!r} is no balance", "write asset/signal + asset/signal = asset/signal, with numbers before a signal where there are any")
            continue
        wrong = list(_wrong(terms, plant))
        for words, remedy in wrong[:1]:
            problems.error(node, words, remedy)
        if not wrong:
            found.append(Balance(name, tuple((f"{plant[0]}/{path}", factor) for path, factor in terms.items())))
    return tuple(found)


def _terms(text: str) -> dict[str, float] | None:
    """Give the factor of each signal; None where the text is no sum = sum."""
    sides = text.split("=")
    found: dict[str, float] = {}
    for side, sign in zip(sides, (1.0, -1.0), strict=False):
        factor, operator = 1.0, True
        for word in side.replace("*", " ").split():
            if word in {"+", "-"}:
                if operator and word == "+":
                    return None
                factor, operator = (-1.0 if word == "-" else 1.0), True
            elif "/" in word and operator and word not in found:
                found[word], operator = sign * factor, False
            elif operator and _number(word):
                factor *= float(word)
            else:
                return None
        if operator:
            return None
    return found if len(sides) == 2 else None


def _number(word: str) -> bool:
    return word.replace(".", "", 1).isdigit() and float(word) > 0


def _wrong(terms: Mapping[str, float], plant: tuple[str, Fleet, tuple[Template, ...]]) -> Iterator[Found]:
    root, fleet, templates = plant
    unit = None
    for path in terms:
        asset, _, name = path.rpartition("/")
        if (row := fleet.find(f"{root}/{asset}")) is None:
            yield f"there is no asset {asset!r}", did_you_mean(asset, [p.removeprefix(f"{root}/") for p in fleet.paths])
            continue
        template = templates[int(fleet.template[row])]
        signals = {s.name: s for s in template.signals if not s.states}
        if name not in signals:
            yield f"{asset} has no signal {name!r} with a unit", did_you_mean(name, signals)
            continue
        unit = unit or signals[name].unit
        yield from _unfit(path, signals[name], template, unit)


def _unfit(path: str, signal: Signal, template: Template, unit: str) -> Iterator[Found]:
    if not fits(signal.unit, unit):
        yield f"{path} is in {signal.unit or '1'}, another in {unit or '1'}", "a balance is of one kind of quantity"
    if template.dynamics:
        yield f"{path} is given by the dynamic model of {template.type}", "follow the area as one system, by estimates: at the top"
    if not any(lane.modelled for lane in signal.lanes):
        yield f"{path} stands in a balance, and nothing says what it should be", "add estimated: {dynamics: true}; where nothing measures it, dynamics: true"
    if signal.source is not None and signal.accuracy is None:
        yield f"how accurate {path} is, is not said", "add accuracy: its standard uncertainty; a balance weighs by it"
