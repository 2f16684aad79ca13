"""Connect: the plant's protocols, one folder each, behind one contract.

source -> Connector.read -> Reading -> (log, durable) -> Connector.acknowledge -> source
"""

from gemel.connect.contract import ConnectionStatus, Connector, Reading, Receipt, WriteOrder, WriteOutcome
from gemel.connect.refusals import REASONS, Refusals

__all__ = [
    "REASONS",
    "ConnectionStatus",
    "Connector",
    "Reading",
    "Receipt",
    "Refusals",
    "WriteOrder",
    "WriteOutcome",
]
