"""Memory that was freed on a thread of its own goes back to the system."""

import sys
import threading

import numpy as np
import psutil
import pytest

from performer.system import heap


@pytest.mark.skipif(sys.platform != "linux" or heap._trim() is None, reason="a heap of glibc's")
def test_what_a_thread_has_freed_goes_back_though_something_on_top_of_it_stays():
    process, kept = psutil.Process(), []

    def work() -> None:
        pieces = [np.ones(12_000) for _ in range(500)]  # 96 kB each, which come from the thread's own heap
        kept.append(pieces[-1])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    before = process.memory_info().rss
    heap.give_back()
    assert before - process.memory_info().rss > 20e6
    assert kept[0].sum() == 12_000
