import sys
from importlib.abc import MetaPathFinder

from gemel.config.processes import main


class WithoutPandas(MetaPathFinder):
    """Hides pandas: pyarrow loads it, where it is installed, to tell whether what it is given is one of its.

    That is 0.2 s of each restart; no process of the family uses it.
    """

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Refuse one name, and leave the others to the next finder."""
        if name == "pandas":
            raise ModuleNotFoundError("a process of the family uses no pandas", name=name)


sys.meta_path.insert(0, WithoutPandas())
sys.exit(main(sys.argv[1:]))
