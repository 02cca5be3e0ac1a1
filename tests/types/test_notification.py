"""Notifications: once per cause, for as long as they say, and never more than there is room for."""

from threading import Thread

from performer.types.notification import TIMEOUT_S, Notifications


def texts(notices: Notifications, t: float) -> list[tuple[str, int]]:
    return [(one.text, one.times) for one in notices.current(t)]


def test_a_line_that_comes_again_is_counted_and_stays_longer():
    notices = Notifications()
    notices.post(0.0, "sound lost", "warning")
    notices.post(1.0, "MIDI port gone: nano", "warning")
    notices.post(2.0, "sound lost", "warning")
    assert texts(notices, 2.0) == [("MIDI port gone: nano", 1), ("sound lost", 2)]
    assert texts(notices, 1.0 + TIMEOUT_S) == [("sound lost", 2)]
    assert texts(notices, 2.0 + TIMEOUT_S) == [] and len(notices) == 0
    notices.post(20.0, "sound lost", "warning")
    assert texts(notices, 20.0) == [("sound lost", 1)]


def test_the_same_words_of_another_severity_are_another_line_and_each_has_its_own_time():
    notices = Notifications()
    notices.post(0.0, "disk", "warning", timeout_s=1.0)
    notices.post(0.0, "disk", "error", timeout_s=9.0)
    assert [one.severity for one in notices.current(0.5)] == ["warning", "error"]
    assert [one.severity for one in notices.current(2.0)] == ["error"]


def test_the_newest_are_kept_and_a_gallery_keeps_none():
    notices = Notifications(3)
    for number in range(9):
        notices.post(0.0, f"line {number}")
    assert [text for text, _ in texts(notices, 0.0)] == ["line 6", "line 7", "line 8"]
    none = Notifications(0)
    none.post(0.0, "line")
    assert not none and list(none) == []


def test_threads_may_post_at_once():
    notices = Notifications(100)
    threads = [Thread(target=lambda n=n: [notices.post(0.0, f"line {n}") for _ in range(200)]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts(notices, 0.0)) == [(f"line {n}", 200) for n in range(4)]
