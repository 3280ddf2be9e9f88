"""The desktop as a process: lanes of work, signals, unexpected errors, starting a server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QDialog

from labrig.clock import Job, spawn
from labrig.errors import ConfigError, LabrigError
from labrig_ui import hooks
from labrig_ui.app import Desktop, main
from labrig_ui.background import Background
from labrig_ui.rig_page import RigPage
from labrig_ui.starting import Starting, name_of, up_command
from tests.ui.conftest import Until, spend, take_apart
from tests.ui.fake import FakeRig


def test_work_is_done_in_a_thread_and_its_answer_comes_back(app: QApplication, until: Until) -> None:
    background = Background()
    answers: list[object] = []
    background.run("a", threading.current_thread, answers.append, answers.append)

    until(lambda: answers)

    assert isinstance(answers[0], Job)
    assert answers[0] is not threading.main_thread()
    background.close()


def test_one_lane_keeps_its_order_and_does_not_wait_for_another(app: QApplication, until: Until) -> None:
    background, order, gate = Background(), [], threading.Event()
    background.run("slow", lambda: gate.wait(5), lambda _: order.append("slow 1"), lambda _: None)
    background.run("slow", lambda: None, lambda _: order.append("slow 2"), lambda _: None)
    background.run("stop", lambda: None, lambda _: order.append("stop"), lambda _: None)

    until(lambda: order == ["stop"])
    gate.set()

    until(lambda: order == ["stop", "slow 1", "slow 2"])
    background.close()


@pytest.mark.expected_logs("labrig_ui.background")
def test_errors_come_back_in_words_and_unexpected_ones_are_logged(app: QApplication, until: Until) -> None:
    def refuse() -> None:
        raise LabrigError("the rig is tripped")

    def stumble() -> None:
        raise ZeroDivisionError("by nothing")

    background, said = Background(), []
    background.run("a", refuse, lambda _: None, lambda error: said.append(str(error)))
    background.run("a", stumble, lambda _: None, lambda error: said.append(str(error)))

    until(lambda: len(said) == 2)

    assert said[0] == "the rig is tripped"
    assert "did not expect" in said[1]
    background.close()


def test_after_closing_no_answer_comes(app: QApplication) -> None:
    background = Background()
    answers: list[object] = []
    background.run("a", lambda: 1, answers.append, answers.append)
    background.close()
    background.run("a", lambda: 2, answers.append, answers.append)
    spend(50)

    assert answers == []


@pytest.mark.expected_logs("labrig_ui")
def test_an_error_that_nobody_caught_is_logged_and_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    told: list[tuple[str, str]] = []
    hooks.unexpected_errors_to(lambda line, details: told.append((line, details)))

    nothing: dict[str, None] = {}
    failing = spawn("failing", lambda: nothing["balance"])
    failing.join()
    sys.excepthook(ValueError, ValueError("nothing"), None)

    assert [line for line, _ in told] == ["KeyError: 'balance'", "ValueError: nothing"]
    assert "Traceback" in told[0][1]
    assert "unexpected" in caplog.text


def test_an_error_in_a_slot_opens_a_dialog_and_stop_works_in_it(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    from labrig_ui.crash import CrashDialog

    crash = CrashDialog(desktop.window, Path("desktop.log"), desktop.orders)
    crash.tell("ValueError: x", "Traceback")
    crash.tell("ValueError: y", "Traceback")

    shown = [one for one in desktop.window.findChildren(QDialog) if one.isVisible()]

    assert len(shown) == 1
    assert not shown[0].isModal()
    shown[0].close()


@pytest.mark.fault("SYS-10")
def test_sigterm_closes_the_window_in_order(tmp_path: Path) -> None:
    if sys.platform == "win32":
        return  # no process can be sent a SIGTERM there
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    process = subprocess.Popen(
        [sys.executable, "-m", "labrig_ui", "--data", str(tmp_path)], env=environment, stderr=subprocess.PIPE
    )
    log = tmp_path / "logs" / "desktop.log"
    for _ in range(300):
        if log.exists() and "the window is open" in log.read_text():
            break
        threading.Event().wait(0.05)

    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=10)

    assert process.returncode == 0, errors.decode()
    assert (tmp_path / "desktop.ini").exists()


@pytest.mark.fault("SYS-10")
@pytest.mark.expected_logs("labrig_ui")
def test_told_to_end_it_stops_an_attended_run_first(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    from labrig.wire.documents import Ordered

    rig.begin(Ordered(method="quick-permeability", coupon="c", operator="o", attended=True))
    until(lambda: desktop.desk.run is not None)

    desktop.told_to_end("SIGTERM")
    until(lambda: not desktop.window.isVisible())

    assert rig.stops[0][0] == "the desktop was told to end (SIGTERM)"


@pytest.mark.fault("SYS-10")
def test_told_to_end_it_leaves_an_unattended_run_alone(desktop: Desktop, rig: FakeRig, until: Until) -> None:
    from labrig.wire.documents import Ordered

    rig.begin(Ordered(method="leak-test", coupon="c", operator="o", attended=False))
    until(lambda: desktop.desk.run is not None)

    desktop.told_to_end("SIGTERM")
    until(lambda: not desktop.window.isVisible())

    assert rig.stops == []


def test_without_a_screen_it_says_so_and_opens_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if sys.platform != "linux":
        return
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(SystemExit) as ended:
        main(["--data", str(tmp_path)])

    assert "there is no screen here" in str(ended.value)


def test_settings_are_kept_from_one_desktop_to_the_next(app: QApplication, tmp_path: Path) -> None:
    from labrig_ui.theme import Choice

    rig = FakeRig(tmp_path)
    first = Desktop(app, tmp_path, connect=rig.connect)
    first.theme.choose(Choice.DARK)
    first.window.order_page.operator.edit.setText("bench 2")
    take_apart(first)
    second = Desktop(app, tmp_path, connect=rig.connect)

    chosen, operator = second.theme.choice, second.window.order_page.operator.words
    take_apart(second)
    rig.kill()

    assert (chosen, operator) == (Choice.DARK, "bench 2")


def test_the_desktop_loads_neither_devices_nor_protocols_nor_slow_libraries() -> None:
    program = "import sys, labrig_ui.app; print(*sorted(sys.modules))"
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    said = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    loaded = set(said.stdout.split())

    assert not loaded & {"nidaqmx", "serial", "h5py", "pandas", "scipy", "GTC", "sqlalchemy", "pyqtgraph"}
    assert not {name for name in loaded if name.startswith(("labrig_instruments", "labrig_protocols"))}


def test_a_server_that_does_not_start_says_why_on_the_page(desktop: Desktop, until: Until) -> None:
    page = another_page(desktop, "import sys; print('labrig: the balance does not answer'); sys.exit(1)")

    until(page.start.isEnabled)
    page.start_server()

    until(lambda: "The rig did not start: labrig: the balance does not answer" in page.said.text())
    assert page.start.isEnabled()
    page.deleteLater()


def test_a_server_that_starts_is_attached(desktop: Desktop, until: Until) -> None:
    page = another_page(desktop, "print('bench-25 is up')")
    desktop.desk.leave()

    until(page.start.isEnabled)
    page.start_server()

    until(lambda: "is up. Go on" in page.said.text())
    until(lambda: desktop.desk.state == "safe")
    page.deleteLater()


def another_page(desktop: Desktop, program: str) -> RigPage:
    return RigPage(desktop.desk, desktop.orders, desktop.background, lambda *_: (sys.executable, "-c", program))


def test_a_program_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(LabrigError, match="could not be started"):
        Starting([str(tmp_path / "nothing")], "bench-25", tmp_path / "log")


def test_a_rig_file_without_a_name_is_refused_by_its_key(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("labrig = 1\n")

    with pytest.raises(ConfigError, match="name: expected the name of the rig"):
        name_of(str(path))


def test_the_command_is_that_of_the_command_line(tmp_path: Path) -> None:
    command = up_command("bench-25", tmp_path, "example-v")

    assert command[1:] == ("-m", "labrig.cli", "up", "bench-25", "--data", str(tmp_path), "--membrane", "example-v")
