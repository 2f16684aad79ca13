"""A plant as it is applied: what the file says, and the numbers of its signals."""

from dataclasses import dataclass

from gemel.assets import Plant
from gemel.operate.partition import Partition, Version
from gemel.samples import Registry


@dataclass(frozen=True, slots=True)
class Site:
    """One version of a plant: a plant file and the registry that was made for it."""

    plant: Plant
    registry: Registry

    @property
    def version(self) -> Version:
        """What it is known by."""
        return self.plant.digest, self.registry.digest

    def partition(self, number: int = 0) -> Partition:
        """Make the partition of this version, as it is before anything was heard."""
        plant, registry = self.plant, self.registry
        found = Partition(
            number, registry, plant.checks(registry), plant.alarms(registry), plant.derivations(registry)
        )
        found.version = self.version
        return found
