"""Each guard of `tests/conftest.py` catches what it is there to catch, and lets the rest pass."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

LINUX_ONLY = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are found through /proc")


def run(pytester: pytest.Pytester, source: str) -> pytest.RunResult:
    """Run one test file under this project's own settings and guards, in a process of its own."""
    pytester.makeconftest((ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile(source)
    settings = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(pytester.path), "-p", "no:cacheprovider"]
    return pytester.runpytest_subprocess(*settings, str(pytester.path), timeout=60)


def expect_failure(pytester: pytest.Pytester, source: str, words: str) -> None:
    result = run(pytester, source)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([words])


def expect_success(pytester: pytest.Pytester, source: str) -> None:
    assert run(pytester, source).ret == pytest.ExitCode.OK


def test_a_warning_fails_the_test(pytester: pytest.Pytester) -> None:
    source = """
        import logging

        def test():
            logging.getLogger("labrig.bus").warning("queue %d%% full", 90)
    """
    expect_failure(pytester, source, "*WARNING labrig.bus: queue 90% full*")


def test_a_warning_from_a_logger_that_was_not_announced_fails_the_test(pytester: pytest.Pytester) -> None:
    source = """
        import logging, pytest

        @pytest.mark.expected_logs("labrig.bus")
        def test():
            logging.getLogger("labrig.business").error("other")
    """
    expect_failure(pytester, source, "*ERROR labrig.business: other*")


def test_a_warning_while_a_fixture_ends_fails_the_test(pytester: pytest.Pytester) -> None:
    source = """
        import logging, pytest

        @pytest.fixture
        def rig():
            yield
            logging.getLogger("labrig").warning("late")

        def test(rig):
            pass
    """
    expect_failure(pytester, source, "*WARNING labrig: late*")


def test_an_announced_warning_is_fine(pytester: pytest.Pytester) -> None:
    source = """
        import logging, pytest

        @pytest.mark.expected_logs("labrig")
        def test():
            logging.getLogger("labrig.bus").warning("full")
    """
    expect_success(pytester, source)


def test_a_python_warning_fails_the_test(pytester: pytest.Pytester) -> None:
    source = """
        import warnings

        def test():
            warnings.warn("old")
    """
    expect_failure(pytester, source, "*UserWarning: old*")


def test_a_qt_message_fails_the_test(pytester: pytest.Pytester) -> None:
    source = """
        from PySide6.QtCore import qWarning

        def test():
            qWarning("torn")
    """
    expect_failure(pytester, source, "*WARNING qt: torn*")


def test_a_thread_left_behind_fails_the_test(pytester: pytest.Pytester) -> None:
    source = """
        import threading

        def test():
            threading.Thread(target=threading.Event().wait, name="poller", daemon=True).start()
    """
    expect_failure(pytester, source, "*left threads running: poller*")


def test_an_error_in_a_thread_fails_the_test(pytester: pytest.Pytester) -> None:
    source = """
        import threading

        def test():
            thread = threading.Thread(target=lambda: 1 / 0)
            thread.start()
            thread.join()
    """
    expect_failure(pytester, source, "*ZeroDivisionError*")


@LINUX_ONLY
def test_a_child_left_behind_fails_the_test(pytester: pytest.Pytester) -> None:
    source = """
        import subprocess

        kept = []

        def test():
            kept.append(subprocess.Popen(["sleep", "60"]))
    """
    expect_failure(pytester, source, "*: sleep 60*")


@LINUX_ONLY
def test_an_orphan_in_a_session_of_its_own_fails_the_test(pytester: pytest.Pytester) -> None:
    source = """
        import subprocess

        def test():
            subprocess.run(["sh", "-c", "setsid sleep 60 >/dev/null 2>&1 &"], check=True)
    """
    expect_failure(pytester, source, "*: sleep 60*")


def test_a_thread_and_a_child_that_are_about_to_end_are_fine(pytester: pytest.Pytester) -> None:
    source = """
        import subprocess, sys, threading

        def test():
            threading.Thread(target=threading.Event().wait, args=(0.2,)).start()
            subprocess.run([sys.executable, "-c", ""], check=True)
    """
    expect_success(pytester, source)


def test_what_serves_a_whole_module_may_outlive_a_test(pytester: pytest.Pytester) -> None:
    source = """
        import pytest, subprocess, threading

        @pytest.fixture(scope="module")
        def server():
            end = threading.Event()
            thread = threading.Thread(target=end.wait)
            thread.start()
            with subprocess.Popen(["sleep", "60"]) as child:
                yield
                child.kill()
            end.set()
            thread.join()

        def test_one(server):
            pass

        def test_two(server):
            pass
    """
    expect_success(pytester, source)


def test_a_property_may_be_tested_under_the_guards(pytester: pytest.Pytester) -> None:
    source = """
        from hypothesis import given, strategies as st

        @given(st.integers())
        def test(n):
            assert n + 1 > n
    """
    expect_success(pytester, source)
