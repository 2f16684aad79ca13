"""A quota: writes are refused though the disk has room, so that no look at the disk can foresee it.

The kernel here keeps no quota of its own for ext4 or tmpfs (CONFIG_QFMT_V2, CONFIG_TMPFS_QUOTA), so the refusal is that
of a limit on the size of a file, set on the running processes (prlimit(2), RLIMIT_FSIZE) and lifted again.
"""

import contextlib
import resource

from kit import Sender, check, get, rig, settled

from gemel.bench.site import wait


def limit(site, most):
    """Let no process of the family, nor any that is started by it, write beyond so many bytes of a file."""
    for pid in site.pids().values():
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def problems(site):
    with contextlib.suppress(OSError):
        return {p["code"] for p in get(site, "health")["problems"]}
    return set()


def test_a_quota_that_is_used_up_costs_nothing(tmp_path):
    with rig(tmp_path) as (broker, site):
        sender = Sender(broker.port).start()
        try:
            assert wait(lambda: len(sender.acknowledged) > 100, 60)
            limit(site, 1 << 14)
            assert wait(lambda: "log-refuses" in problems(site), 60), "it says so"
            mark = len(sender.sent)
            assert wait(lambda: len(sender.sent) > mark + 200, 60)
            limit(site, resource.RLIM_INFINITY)
            assert wait(lambda: newest(site) > mark, 60), "it goes on by itself"
        finally:
            sender.stop()
        assert settled(site, sender)
        check(site, sender)
        assert len(sender.acknowledged) == len(sender.sent)
        assert get(site, "facts/verify")["ok"]


def newest(site):
    with contextlib.suppress(OSError):
        return max((v["value"] or 0 for v in get(site, "state/test/rig/hall/rig")["properties"].values()), default=0)
    return 0
