"""What acquisition costs: 16 channels on four modules over gRPC into a run file, beside a bare read-and-write loop.

Run it as ``python benchmarks/acquisition.py``. For each rate it starts the simulated rig as a process of its own and,
one after the other in processes of their own, labrig (``NiAnalogInput``, its poller, the recorder with every commit on
the disk) and the bare loop: ``nidaqmx`` as its makers show it, a stream reader in a thread for each module, reading
the same blocks of 20 ms and appending them to a plain file without a sync. Both read the same terminals of the same
simulated rig, of which each gets a new one. 16 channels at 50 kS/s are more than one module can do: it takes four.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from labrig.acquisition import Acquisition
from labrig.clock import SECOND, RealClock, spawn
from labrig.config import find_rig, load_rig
from labrig.model import Coupon, Event, Faulted, Mounting, Outcome, RunHeader
from labrig.recording import Recorder, RunFile

MODULES: Final = {"a": "cDAQ1Mod1", "b": "cDAQ1Mod5", "c": "cDAQ2Mod1", "d": "cDAQ2Mod2"}
"""By instrument; on two chassis, because one has three timing engines for analog input."""
EACH: Final = 4
BLOCK: Final = 0.02


def main() -> None:
    """Measure, and print one line for each rate and way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rates", type=int, nargs="+", default=[1_000, 10_000, 50_000])
    parser.add_argument("--child", nargs=3, metavar=("WAY", "NI", "FOLDER"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        way, ni, folder = asked.child
        measure = recorded if way == "labrig" else bare
        print(json.dumps(measure(ni, Path(folder), asked.rates[0], asked.seconds)))
        return
    for rate in asked.rates:
        for way in ("labrig", "bare"):
            report(way, rate, asked.seconds)


def report(way: str, rate: int, seconds: float) -> None:
    """One way at one rate, with a simulated rig of its own."""
    with tempfile.TemporaryDirectory() as folder, simulated(Path(folder), rate) as (ni, rig):
        before = cpu_of(rig)
        command = [sys.executable, __file__, "--seconds", str(seconds), "--rates", str(rate)]
        done = subprocess.run([*command, "--child", way, ni, folder], stdout=subprocess.PIPE, check=True)
        rig_cpu = (cpu_of(rig) - before) / seconds
    found = json.loads(done.stdout)
    print(
        f"{rate / 1000:4g} kS/s  {way:6}  {found['samples']:>9} samples, {found['lost']} lost, "
        f"{found['behind']:.2f} s behind at the end; CPU {found['cpu'] / seconds:.0%} of one core, "
        f"simulated rig {rig_cpu:.0%}{found['note']}",
        flush=True,
    )


@contextmanager
def simulated(folder: Path, rate: int) -> Iterator[tuple[str, int]]:
    """Address of its NI server, and its process."""
    path = folder / "rig.toml"
    path.write_text(rig_file(rate), encoding="utf-8")
    command = [sys.executable, "-m", "labrig.cli", "sim", str(path), "--follow"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["ni"], process.pid


def rig_file(rate: int) -> str:
    """A shipped bench with four voltage modules of four channels each and nothing else to read."""
    text = find_rig("bench-25").read_text(encoding="utf-8")
    head, _, _ = text.partition("\n[instruments.")
    plumbing = text[text.index("\n[simulation]") :]
    instruments = "".join(module(name, device, rate) for name, device in MODULES.items())
    wired = "".join(transmitter(f"{device}/ai3") for device in MODULES.values())
    return f"{head}\n{instruments}\n[roles]\n{plumbing}{wired}"


def transmitter(address: str) -> str:
    """Something to read at an input."""
    return f'\n[[simulation.transmitters]]\nquantity = "vessel_pressure"\naddress = "{address}"\n'


def module(name: str, device: str, rate: int, inputs: int = EACH) -> str:
    """One instrument's tables: a voltage module with so many inputs in use."""
    channels = "".join(
        f'[instruments.{name}.channels.{name}{n}]\ninput = "ai{n}"\nunit = "psi"\nsignal = ["0 V", "10 V"]\n'
        'value = ["0 psi", "100 psi"]\n'
        for n in range(inputs)
    )
    return (
        f'\n[instruments.{name}]\nkind = "ni-analog-input"\nserver = "sim://ni"\ndevice = "{device}"\n'
        f'rate = "{rate} Hz"\n{channels}'
    )


def recorded(ni: str, folder: Path, rate: int, seconds: float) -> dict[str, Any]:
    """Labrig's way, in this process."""
    clock = RealClock()
    config = load_rig(folder / "rig.toml", {"ni": ni})
    header = RunHeader(
        run_id="benchmark", started_utc=clock.utc().isoformat(), started_ns=clock.now(), protocol="benchmark",
        parameters={}, method="", coupon=Coupon(""), mounting=Mounting("", 0.0, 0.0), operator="", rig=config.name,
        rig_file=config.text, channels=tuple(config.channels.values()), roles={}, simulated=True, versions={},
    )  # fmt: skip
    faults: list[str] = []
    recorder = Recorder(folder / "run.labrig", header, clock=clock, on_failure=faults.append)

    def publish(item: Any) -> None:  # noqa: ANN401 - a block or an event
        recorder(item)
        if isinstance(item, Faulted):
            faults.append(item.text)

    acquisition = Acquisition(config.build(clock.now), clock)
    acquisition.open()
    before = cpu()
    acquisition.start(publish, faults.append)
    threading.Event().wait(seconds)
    acquisition.stop()
    ended, used = clock.now(), cpu() - before
    acquisition.close()
    recorder.close(Outcome.COMPLETED)
    with RunFile(recorder.path) as run:
        totals = run.totals
        newest = min(int(run.series(f"{name}0").times[-1]) for name in MODULES)
        events: tuple[Event, ...] = run.events
    return {
        "samples": EACH * sum(total.samples for total in totals.values()),
        "lost": EACH * sum(total.lost for total in totals.values()),
        "behind": (ended - newest) / SECOND,
        "cpu": used,
        "note": f"; FAULTS {faults} {len(events)}" if faults else "",
    }


def bare(ni: str, folder: Path, rate: int, seconds: float) -> dict[str, Any]:
    """The loop that somebody would write, in this process."""
    import grpc
    import nidaqmx

    over, ready = threading.Event(), threading.Barrier(len(MODULES) + 1)
    reads: dict[str, tuple[int, float]] = {}
    with grpc.insecure_channel(ni) as channel:
        options = nidaqmx.GrpcSessionOptions(channel, "")
        jobs = [
            partial(read_and_write, device, rate, options, folder, ready, over, reads) for device in MODULES.values()
        ]
        threads = [spawn("bare", job) for job in jobs]
        ready.wait()
        before = cpu()
        over.wait(seconds)
        over.set()
        for thread in threads:
            thread.join()
        used = cpu() - before
    samples = EACH * sum(count for count, _ in reads.values())
    behind = max(took - count / rate for count, took in reads.values())
    return {"samples": samples, "lost": 0, "behind": behind, "cpu": used, "note": ""}


def read_and_write(
    device: str,
    rate: int,
    options: Any,  # noqa: ANN401 - nidaqmx ships no types
    folder: Path,
    ready: threading.Barrier,
    over: threading.Event,
    reads: dict[str, tuple[int, float]],
) -> None:
    """One module; an overrun would raise. Tells how many samples it has read, and in how many seconds."""
    import nidaqmx
    from nidaqmx.constants import AcquisitionType
    from nidaqmx.stream_readers import AnalogMultiChannelReader

    count, clock = round(BLOCK * rate), RealClock()
    values = np.empty((EACH, count))
    with nidaqmx.Task(grpc_options=options) as task, (folder / f"{device}.bin").open("wb") as file:
        task.ai_channels.add_ai_voltage_chan(f"{device}/ai0:{EACH - 1}")
        task.timing.cfg_samp_clk_timing(rate, sample_mode=AcquisitionType.CONTINUOUS, samps_per_chan=10 * rate)
        reader = AnalogMultiChannelReader(task.in_stream)
        reader.verify_array_shape = False
        ready.wait()
        task.start()
        began, taken = clock.now(), 0
        while not over.is_set():
            reader.read_many_sample(values, count, timeout=5.0)
            values.tofile(file)
            taken += count
            reads[device] = taken, (clock.now() - began) / SECOND


def cpu() -> float:
    """Seconds of processor that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def cpu_of(pid: int) -> float:
    """The same of another process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
