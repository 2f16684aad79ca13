"""Power cuts: what a process family wrote is recorded as system calls, and its folder rebuilt as a cut would leave it.

The recorder is strace (ptrace), which sees every program whatever it is written in; `Recording.at` gives a folder as
it would be found after the power went at some moment. What a file system promises is taken at its word and no
further (fsync(2), rename(2); the ordered mode of ext4):

- bytes written to a file are safe once an fsync of it that began after they were written has returned;
- that fsync makes the file's own name safe too; a rename, a removal or a new folder are safe once a later fsync of
  the folder, or of the file that was renamed, has returned;
- whatever is not safe is kept or lost by chance, each write by itself.

What is written through mapped memory is not seen (SQLite's -shm file only), nor names relative to a working folder.
"""

import os
import random
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

CALLS: Final = (
    "open,openat,creat,write,pwrite64,writev,pwritev,pwritev2,lseek,ftruncate,truncate,fsync,fdatasync,"
    "rename,renameat,renameat2,unlink,unlinkat,link,linkat,mkdir,mkdirat,rmdir"
)
_LINE: Final = re.compile(r"^(\d+) +(\d+\.\d+) (.*)$")
_CALL: Final = re.compile(r"^(\w+)\((.*)\) += (-?\d+|\?)(.*)$", re.DOTALL)
_RESUMED: Final = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$", re.DOTALL)
_PATH: Final = re.compile(r"<((?:\\x[0-9a-f]{2})*)>")
_TEXT: Final = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def command(program: str, trace: Path, argv: Sequence[str]) -> list[str]:
    """Give the command line that runs a program and records what it and its children write."""
    return [program, "-f", "--seccomp-bpf", "-y", "-xx", "-ttt", "-s", "99999999", "-e", "signal=none", "-e", f"trace={CALLS}",
            "-o", str(trace), *argv]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One change, in the order in which the calls returned.

    Args:
        at: wall time at which it returned [s].
        began: and at which it was called [s].
        kind: write, truncate, sync, rename, unlink, link, mkdir or rmdir.
        path: of the file, below the recorded folder.
        to: its new name.
        offset: of what is written, or the new length.
        data: what is written.
    """

    at: float
    began: float
    kind: str
    path: str
    to: str = ""
    offset: int = 0
    data: bytes = b""


@dataclass(slots=True)
class _File:
    safe: bytearray = field(default_factory=bytearray)
    pending: list[Event] = field(default_factory=list)

    def image(self, keep: random.Random | None, share: float) -> bytes:
        content = bytearray(self.safe)
        for event in self.pending:
            if keep is not None and keep.random() < share:
                _apply(content, event)
        return bytes(content)

    def sync(self, began: float) -> None:
        for event in [e for e in self.pending if e.at <= began]:
            _apply(self.safe, event)
        self.pending = [e for e in self.pending if e.at > began]


@dataclass(slots=True)
class _Seen:
    """What is known of files while strace's words are read."""

    offsets: dict[str, int] = field(default_factory=dict)  # where the next plain write of a file goes
    sizes: dict[str, int] = field(default_factory=dict)
    synced: set[str] = field(default_factory=set)  # opened so that each write is durable when it returns


class Recording:
    """What was written below a folder."""

    def __init__(self, trace: Path, folder: Path) -> None:
        self.events = sorted(_events(trace, str(folder.resolve())), key=lambda e: e.at)

    def at(
        self, moment: float, target: Path, *, keep: random.Random | None = None, share: float = 0.5
    ) -> None:
        """Write the folder as it is found after a power cut.

        Args:
            moment: of the cut, wall time [s].
            target: where it is written to; emptied first.
            keep: chance by which what was not safe is kept; None: all of it is lost.
            share: of it that is kept.
        """
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name, content in self._state(moment, keep, share).items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(content)

    def _state(self, moment: float, keep: random.Random | None, share: float) -> dict[str, bytes]:
        names: dict[str, _File] = {}  # as programs see them
        safe: dict[str, _File] = {}  # as the disk has them
        loose: list[tuple[Event, _File | None]] = []  # changes of names that are not safe
        for event in self.events:
            if event.at > moment:
                break
            _step(event, names, safe, loose)
        for event, file in loose:
            if keep is not None and keep.random() < share:
                _name(event, file, safe)
        return {name: file.image(keep, share) for name, file in safe.items()}


def _step(
    event: Event, names: dict[str, _File], safe: dict[str, _File], loose: list[tuple[Event, _File | None]]
) -> None:
    if event.kind in {"write", "truncate"}:
        if event.path not in names:
            names[event.path] = _File()
            loose.append((Event(event.at, event.began, "create", event.path), names[event.path]))
        names[event.path].pending.append(event)
    elif event.kind == "sync":
        file = names.get(event.path)
        if file is not None:
            file.sync(event.began)
        _settle(event, file, safe, loose)
    else:
        file = names.get(event.path)
        loose.append((event, file))
        _name(event, file, names)


def _settle(
    event: Event, synced: _File | None, safe: dict[str, _File], loose: list[tuple[Event, _File | None]]
) -> None:
    """Make names safe: of the file that was synced, or of all in the folder that was."""
    left = []
    for change, file in loose:
        of_folder = synced is None and any(
            str(Path(p).parent) == event.path for p in (change.path, change.to) if p
        )
        if (of_folder or (file is not None and file is synced)) and change.at <= event.began:
            _name(change, file, safe)
        else:
            left.append((change, file))
    loose[:] = left


def _name(event: Event, file: _File | None, names: dict[str, _File]) -> None:
    if event.kind == "create" and file is not None:
        names[event.path] = file
    elif event.kind == "unlink":
        names.pop(event.path, None)
    elif event.kind == "link" and file is not None:
        names[event.to] = file
    elif event.kind == "rename":
        _rename(event, file, names)


def _rename(event: Event, file: _File | None, names: dict[str, _File]) -> None:
    if file is not None:
        names.pop(event.path, None)
        names[event.to] = file
        return
    head = event.path + "/"
    for name in [n for n in names if n.startswith(head)]:
        names[event.to + "/" + name[len(head) :]] = names.pop(name)


def _apply(content: bytearray, event: Event) -> None:
    if event.kind == "truncate":
        del content[event.offset :]
        content.extend(bytes(max(event.offset - len(content), 0)))
        return
    content.extend(bytes(max(event.offset - len(content), 0)))
    content[event.offset : event.offset + len(event.data)] = event.data


# ---- reading strace's words


def _events(trace: Path, folder: str) -> Iterator[Event]:
    seen = _Seen()
    for began, at, name, arguments, returned, rest in _calls(trace):
        for event in _of(name, arguments, returned, rest, (began, at), seen):
            path, to = (_below(p, folder) for p in (event.path, event.to))
            if path is not None:
                yield Event(event.at, event.began, event.kind, path, to or "", event.offset, event.data)


def _calls(trace: Path) -> Iterator[tuple[float, float, str, str, int, str]]:
    unfinished: dict[str, tuple[float, str]] = {}
    with trace.open() as lines:
        for line in lines:
            if not (split := _LINE.match(line.rstrip("\n"))):
                continue
            pid, at, words = split[1], float(split[2]), split[3]
            began = at
            if words.endswith("<unfinished ...>"):
                unfinished[pid] = (at, words.removesuffix("<unfinished ...>"))
                continue
            if resumed := _RESUMED.match(words):
                if pid not in unfinished:
                    continue
                began, head = unfinished.pop(pid)
                words = head + resumed[2].lstrip()
            if (call := _CALL.match(words)) and call[3] != "?" and int(call[3]) >= 0:
                yield began, at, call[1], call[2], int(call[3]), call[4]


def _of(
    name: str, arguments: str, returned: int, rest: str, when: tuple[float, float], seen: _Seen
) -> Iterator[Event]:
    began, at = when
    offsets, sizes = seen.offsets, seen.sizes
    paths = [_plain(p).decode(errors="replace") for p in _PATH.findall(arguments)]
    texts = [_plain(t) for t in _TEXT.findall(arguments)]
    path = paths[0] if paths else ""
    if name in {"open", "openat", "creat"}:
        opened = _PATH.findall(rest)
        path = _plain(opened[0]).decode(errors="replace") if opened else ""
        offsets[path] = sizes.get(path, 0) if "O_APPEND" in arguments else 0
        (seen.synced.add if re.search(r"O_D?SYNC", arguments) else seen.synced.discard)(path)
        if "O_TRUNC" in arguments or ("O_CREAT" in arguments and path not in sizes):
            if "O_TRUNC" in arguments:
                sizes[path] = 0
            yield Event(at, began, "truncate", path, offset=sizes.setdefault(path, 0))
    elif name in {"write", "writev"}:
        data = b"".join(texts)[:returned]
        offset = offsets.get(path, 0)
        offsets[path] = offset + len(data)
        sizes[path] = max(sizes.get(path, 0), offset + len(data))
        yield Event(at, began, "write", path, offset=offset, data=data)
        if path in seen.synced:
            yield Event(at, at, "sync", path)
    elif name.startswith("pwrite"):
        data = b"".join(texts)[:returned]
        offset = (
            int(arguments.rsplit(", ", 1)[1]) if name != "pwritev2" else int(arguments.rsplit(", ", 2)[1])
        )
        sizes[path] = max(sizes.get(path, 0), offset + len(data))
        yield Event(at, began, "write", path, offset=offset, data=data)
        if path in seen.synced:
            yield Event(at, at, "sync", path)
    elif name == "lseek":
        offsets[path] = returned
    elif name == "ftruncate":
        sizes[path] = int(arguments.rsplit(", ", 1)[1])
        yield Event(at, began, "truncate", path, offset=sizes[path])
    elif name in {"fsync", "fdatasync"}:
        yield Event(at, began, "sync", path)
    elif name in {"rename", "renameat", "renameat2", "link", "linkat"}:
        old, new = _two(paths, texts)
        for known in (offsets, sizes):
            if old in known:
                known[new] = known[old]
        yield Event(
            at, began, name[:6].removesuffix("at") if name.startswith("rename") else "link", old, to=new
        )
    elif name in {"unlink", "unlinkat", "rmdir"}:
        sizes.pop(_joined(paths, texts[0]), None)
        yield Event(at, began, "unlink", _joined(paths, texts[0]))


def _two(paths: list[str], texts: list[bytes]) -> tuple[str, str]:
    folders = paths if len(paths) == 2 else [*paths, ""][:2]
    return _joined(folders[:1], texts[0]), _joined(folders[-1:], texts[1])


def _joined(folders: list[str], text: bytes) -> str:
    return os.path.normpath(Path(*folders[:1], text.decode()))


def _plain(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


def _below(path: str, folder: str) -> str | None:
    return path[len(folder) + 1 :] if path.startswith(folder + "/") else ("." if path == folder else None)
