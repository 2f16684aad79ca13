"""A sealed file gives back what was written, any part of it, and nothing of it once it was changed."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemel.errors import StorageError
from gemel.sealing import Seal
from gemel.sealing.stream import CHUNK, HEAD, TAG, Reader, Writer, size_of

SEAL = Seal(bytes(range(32)))
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5)


def content(size):
    return bytes((i * 7 + i // 251) % 256 for i in range(size))


def laid_down(path, data, step=None):
    with Writer(path.open("wb"), SEAL.id, SEAL.key_of) as out:
        for at in range(0, len(data), step or max(len(data), 1)):
            assert out.write(data[at : at + (step or len(data))]) > 0
    return path


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("step", [None, 1000, CHUNK, CHUNK + 1])
def test_what_was_written_in_whatever_steps_is_read(tmp_path, size, step):
    file = laid_down(tmp_path / "f", content(size), step)
    assert size_of(file.stat().st_size) == size
    with Reader(file.open("rb"), SEAL.key_of) as back:
        assert (back.size, back.read()) == (size, content(size))
    assert content(size)[:64] not in file.read_bytes() or size < 64


@given(size=st.sampled_from(SIZES), data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_part_is_read_alone(tmp_path_factory, size, data):
    file = laid_down(tmp_path_factory.mktemp("f") / "f", content(size))
    with Reader(file.open("rb"), SEAL.key_of) as back:
        for _ in range(5):
            at, n = data.draw(st.integers(0, size + 3)), data.draw(st.integers(0, size + 3))
            back.seek(at)
            assert back.read(n) == content(size)[at : at + n]
            buffer = bytearray(n)
            back.seek(at)
            assert bytes(buffer[: back.readinto(buffer)]) == content(size)[at : at + n]


def test_threads_do_not_move_each_others_place(tmp_path):
    data = content(SIZES[-1])
    wrong = []
    with Reader(laid_down(tmp_path / "f", data).open("rb"), SEAL.key_of) as back:

        def look(start):
            for i in range(200):
                at = (start + i * 977) % len(data)
                back.seek(at)
                if back.read(50) != data[at : at + 50]:
                    wrong.append(at)

        threads = [threading.Thread(target=look, args=(s,)) for s in (0, 70_000, 140_000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def all_of(file):
    with Reader(file.open("rb"), SEAL.key_of) as back:
        return back.read()


@pytest.mark.parametrize("size", SIZES)
def test_a_changed_byte_a_cut_or_a_moved_chunk_is_found(tmp_path, size):
    file = laid_down(tmp_path / "f", content(size))
    whole = file.read_bytes()
    full = CHUNK + TAG
    cuts = [whole[:-1], whole[: HEAD.size + TAG - 1], whole[:10], whole + b"\0"]
    cuts += [whole[: HEAD.size + TAG]] if size else []
    if size > CHUNK:  # at the edge of a chunk; two chunks changed round; one left out
        cuts += [whole[: HEAD.size + full]]
    if size > 2 * CHUNK:
        head, a, b, rest = whole[: HEAD.size], *(whole[HEAD.size + i * full :][:full] for i in (0, 1)), whole[HEAD.size + 2 * full :]
        cuts += [head + b + a + rest, head + b + rest]
    for at in (4, 9, 20, HEAD.size, len(whole) // 2, len(whole) - 1):
        cuts.append(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    for changed in cuts:
        file.write_bytes(changed)
        with pytest.raises((OSError, StorageError)):
            all_of(file)


def test_two_files_of_the_same_content_have_nothing_in_common(tmp_path):
    one, two = (laid_down(tmp_path / n, content(100)).read_bytes() for n in "ab")
    assert one[HEAD.size :] != two[HEAD.size :] and one[16 : HEAD.size] != two[16 : HEAD.size]
