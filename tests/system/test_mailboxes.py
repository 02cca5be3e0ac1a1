"""Ring under a concurrent writer, and Latest: what threads share must never tear."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts.patience import PATIENCE_S

from performer.system.mailboxes import Latest, Ring


@given(st.integers(1, 50), st.lists(st.integers(0, 120), max_size=30))
def test_ring_keeps_the_newest_rows_in_order(capacity, sizes):
    ring = Ring(capacity, 1, np.int64)
    total = 0
    for n in sizes:
        ring.write(np.arange(total, total + n)[:, None])
        total += n
    kept = min(total, capacity)
    assert ring.written == total
    assert ring.latest(kept)[:, 0].tolist() == list(range(total - kept, total))
    rows, lost = ring.since(0)
    assert lost == total - kept and rows[:, 0].tolist() == list(range(total - kept, total))


def test_ring_gives_zeros_before_the_first_row_and_refuses_too_long_a_look():
    ring = Ring(8, 2)
    assert not ring.latest(8).any()
    with pytest.raises(ValueError, match="keeps 8"):
        ring.latest(9)
    with pytest.raises(ValueError, match="at least one"):
        Ring(0, 1)


def test_ring_read_beside_a_fast_writer_is_never_torn():
    ring = Ring(512, 3, np.int64)
    stop = threading.Event()

    def write():
        n = 0
        while not stop.is_set():
            block = np.arange(n, n + 100)[:, None].repeat(3, 1)
            ring.write(block)
            n += 100

    writer = threading.Thread(target=write)
    writer.start()
    try:
        read, checked = 0, 0
        for _ in range(3000):
            window = ring.latest(300)
            if ring.written >= 300 and window[0, 0]:
                assert (np.diff(window[:, 0]) == 1).all()
                assert (window == window[:, :1]).all()
                checked += 1
            rows, lost = ring.since(read, 256)
            if len(rows):
                assert rows[0, 0] == read + lost
                assert (np.diff(rows[:, 0]) == 1).all()
                read += lost + len(rows)
        assert checked > 100 and read > 10_000
    finally:
        stop.set()
        writer.join()


def test_latest_hands_over_only_the_newest_and_wakes_the_waiter():
    box: Latest[int] = Latest()
    assert box.peek() is None and box.wait(0, 0.01) == (0, None)
    box.post(1)
    box.post(2)
    assert box.peek() == 2 and box.wait(0, 0.0) == (2, 2)
    got = []
    waiter = threading.Thread(target=lambda: got.append(box.wait(2, 5.0)))
    waiter.start()
    box.post(3)
    waiter.join(PATIENCE_S)
    assert got == [(3, 3)]
