"""What is spared the collector is collected all the same once another plant is in force."""

import gc
import weakref

from gemel.config.memory import settle


class Plant:
    """Something that holds itself, as a tree whose nodes know their parents does."""

    def __init__(self):
        self.me = self


def test_what_lasts_is_not_looked_at_and_what_is_left_of_it_goes_with_the_next():
    former = Plant()
    gone = weakref.ref(former)
    try:
        settle()
        assert gc.get_freeze_count() > 1000
        del former
        gc.collect()
        assert gone() is not None  # nobody looks at it
        settle()
        assert gone() is None
    finally:
        gc.unfreeze()
