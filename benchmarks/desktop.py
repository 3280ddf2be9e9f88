"""The desktop under load, and how soon it can be used.

Run it as ``python benchmarks/desktop.py`` where there is a screen, or Xvfb (Debian: apt-get install xvfb).

Load: a real rig server with 16 channels at 10 kS/s each, on the simulated rig; the desktop draws the last minute of
all of them, 16 plots in a window of 1920 x 1080. After the minute is full it is measured for another one: from one
painting of a plot to the next, how late a 10 ms timer of the GUI thread is, and processor time.

Start: from the start of the process until the window has been painted and takes input, labrig beside PyMeasure's
``ManagedWindow`` with three inputs (``benchmarks/requirements.txt``, in a throw-away environment that borrows this
one's Qt), in turn. Both are ready to be ordered something; neither is connected to anything yet.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
CHANNELS: Final = 16
TICK: Final = 10
"""ms"""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=int, default=10_000, help="samples a second of each channel")
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--child", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        way, folder = asked.child
        {"load": load, "labrig": start_labrig, "pymeasure": start_pymeasure}[way](asked, Path(folder))
        return
    from tests.proofs.desktop_screens import screen

    there = bool(os.environ.get("DISPLAY")) or sys.platform != "linux"
    with nullcontext("") if there else screen("1920x1080") as display, tempfile.TemporaryDirectory() as folder:
        place = os.environ | ({"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"} if display else {})
        if asked.seconds:
            under_load(asked, Path(folder), place)
        if asked.starts:
            starts(asked.starts, Path(folder), place)


def under_load(asked: argparse.Namespace, folder: Path, place: dict[str, str]) -> None:
    """A server of its own for the desktop that is measured."""
    from acquisition import EACH, MODULES, rig_file

    from labrig.endpoint import read_endpoint

    rig, data = folder / "rig.toml", folder / "data"
    alive = "".join(
        f'\n[[simulation.transmitters]]\nquantity = "vessel_pressure"\naddress = "{device}/ai{n}"\n'
        for device in list(MODULES.values())[1:]
        for n in range(EACH - 1)
    )  # an input that nothing is wired to is constant, and a constant curve is hardly painted
    rig.write_text(rig_file(asked.rate) + alive, encoding="utf-8")
    cli = [sys.executable, "-m", "labrig.cli"]
    up = subprocess.run([*cli, "up", str(rig), "--data", str(data), "--json"], stdout=subprocess.PIPE, check=True)
    name = json.loads(up.stdout)["rig"]
    try:
        server = read_endpoint(data, name).pid
        before = cpu_of(server)
        command = [sys.executable, __file__, "--seconds", str(asked.seconds), "--child", "load", str(data)]
        done = subprocess.run(command, env=place, stdout=subprocess.PIPE, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        share = (cpu_of(server) - before) / found["whole"]
    finally:
        subprocess.run([*cli, "down", name, "--data", str(data)], check=True, stdout=subprocess.DEVNULL)
    print(
        f"{found['plots']} plots, {found['bins']} bins drawn of each, {found['frames']} frames"
        f" in {found['seconds']:.0f} s"
    )
    for what in ("frame interval", "late"):
        of = found[what]
        print(f"{what:15} ms: p50 {of['p50']:.1f}, p99 {of['p99']:.1f}, max {of['max']:.1f}")
    print(f"desktop {found['cpu']:.0%} of one core, server {share:.0%}", flush=True)


def load(asked: argparse.Namespace, data: Path) -> None:
    """In this process: the desktop."""
    from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer
    from PySide6.QtWidgets import QApplication

    from labrig.endpoint import known_rigs
    from labrig_ui.app import Desktop
    from labrig_ui.main_window import LIVE

    app = QApplication(["labrig"])
    desktop = Desktop(app, data, known_rigs(data)[0])
    desktop.window.resize(1920, 1080)
    desktop.window.show()
    spend(QEventLoop, QTimer, 3.0)
    page, description = desktop.window.live_page, desktop.desk.description
    assert description is not None
    desktop.window.go(LIVE)
    page.show_curves(channel.name for channel in description.channels)
    page.window_choice.setCurrentText("Last minute")
    assert len(page.plots) == CHANNELS
    began = time.monotonic()
    spend(QEventLoop, QTimer, asked.seconds)

    paints: list[int] = []
    ticks: list[int] = []

    class Painted(QObject):
        """Notes when a plot is painted."""

        def eventFilter(self, _: QObject, met: QEvent) -> bool:  # noqa: N802 - Qt's name
            if met.type() is QEvent.Type.Paint:
                paints.append(time.monotonic_ns())
            return False

    painted, timer = Painted(), QTimer()
    page.plots[-1].viewport().installEventFilter(painted)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: ticks.append(time.monotonic_ns()))
    timer.start(TICK)
    used, start = time.process_time(), time.monotonic()
    spend(QEventLoop, QTimer, asked.seconds)
    seconds = time.monotonic() - start
    live = desktop.desk.live
    assert live is not None
    drawn = len(live.bins(page.plots[0].shown.name, live.end - 60_000_000_000, live.end, 1200))
    found = {
        "plots": len(page.plots),
        "bins": drawn,
        "frames": len(paints),
        "seconds": seconds,
        "whole": time.monotonic() - began,
        "frame interval": spread(differences(paints)),
        "late": spread([max(0.0, one - TICK) for one in differences(ticks)]),
        "cpu": (time.process_time() - used) / seconds,
    }
    timer.stop()
    desktop.window.close_now()
    desktop.close()
    print(json.dumps(found), flush=True)


def starts(times: int, folder: Path, place: dict[str, str]) -> None:
    """Each way in turn."""
    from point_cost import environment

    other = environment(folder / "venv")
    borrowed = subprocess.run(
        [other, "-c", "import site; print(site.getsitepackages()[0])"], stdout=subprocess.PIPE, check=True, text=True
    ).stdout.strip()
    import PySide6

    Path(borrowed, "qt.pth").write_text(str(Path(PySide6.__file__).parents[1]) + "\n", encoding="utf-8")
    found: dict[str, list[float]] = {"labrig": [], "pymeasure": []}
    for _ in range(times):
        for way, seconds in found.items():
            python = sys.executable if way == "labrig" else other
            began = time.monotonic()
            done = subprocess.run(
                [python, __file__, "--child", way, str(folder / "start")],
                env=place | {"QT_API": "pyside6", "PYQTGRAPH_QT_LIB": "PySide6"},
                stdout=subprocess.PIPE,
                check=True,
            )
            seconds.append(float(done.stdout.split()[-1]) - began)
    for way, seconds in found.items():
        median = sorted(seconds)[times // 2]
        print(f"{way:10} usable after {min(seconds):.2f} to {max(seconds):.2f} s, median {median:.2f}")


def start_labrig(_: argparse.Namespace, folder: Path) -> None:
    """In this process: the desktop as ``labrig-desktop`` makes it."""
    from PySide6.QtWidgets import QApplication

    from labrig_ui.app import Desktop

    app = QApplication(["labrig"])
    desktop = Desktop(app, folder)
    desktop.window.show()
    usable(app, desktop.window)
    desktop.close()


def start_pymeasure(_: argparse.Namespace, __: Path) -> None:
    """In this process: PyMeasure's window."""
    from pymeasure.display.Qt import QtWidgets
    from pymeasure.display.windows import ManagedWindow
    from pymeasure.experiment import FloatParameter, Procedure

    class Permeability(Procedure):  # type: ignore[misc]
        """Three inputs, three columns."""

        low, high, dwell = (FloatParameter(name, default=1.0) for name in ("Low", "High", "Dwell"))
        DATA_COLUMNS = ["Time", "Pressure", "Flow"]  # noqa: RUF012 - PyMeasure's way

        def execute(self) -> None:
            """Nothing: only the window is looked at."""

    app = QtWidgets.QApplication(["pymeasure"])
    inputs = ["low", "high", "dwell"]
    window = ManagedWindow(Permeability, inputs=inputs, displays=inputs, x_axis="Time", y_axis="Flow")
    window.show()
    usable(app, window)
    os._exit(0)  # its threads wait for orders


def usable(app: Any, window: Any) -> None:  # noqa: ANN401 - one of two Qt bindings
    """Let Qt work until the window is on the screen and the loop has nothing left to do; print the time."""
    while not window.windowHandle().isExposed():
        app.processEvents()
    app.processEvents()
    print(time.monotonic(), flush=True)


def spend(loop_type: Any, timer: Any, seconds: float) -> None:  # noqa: ANN401 - Qt is imported late
    loop = loop_type()
    timer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def differences(times: list[int]) -> list[float]:
    """Milliseconds from each to the next."""
    return [(after - before) / 1e6 for before, after in pairwise(times)]


def spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {"p50": ordered[len(ordered) // 2], "p99": ordered[int(0.99 * len(ordered))], "max": ordered[-1]}


def cpu_of(process: int) -> float:
    """Processor seconds that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
