"""Where a rig's server answers: a file that only its user can read, with a token of that start."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from labrig.errors import LabrigError


class ServerGone(LabrigError):
    """No server answers for that rig."""


class Endpoint(BaseModel):
    """Addresses on loopback and the token that every call carries."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rig: str
    rig_file: str
    address: str
    stop_address: str
    token: str
    pid: int
    supervisor: int
    """Process id of the supervisor; 0 where there is none."""
    control: str = ""
    """Control port of the simulated rig; for tests and validation only."""


def endpoint_path(data: Path, rig: str) -> Path:
    """The endpoint file of a rig below a data folder."""
    return data / "servers" / f"{re.sub(r'[^A-Za-z0-9._-]', '-', rig)}.json"


def write_endpoint(data: Path, endpoint: Endpoint) -> Path:
    """Write it for this user's eyes only, whole or not at all."""
    path = endpoint_path(data, endpoint.rig)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(endpoint.model_dump_json())
    part.replace(path)
    return path


def read_endpoint(data: Path, rig: str) -> Endpoint:
    """Raises `ServerGone` where no server has written one."""
    path = endpoint_path(data, rig)
    try:
        return Endpoint.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ServerGone(f"no server runs for the rig {rig!r} (there is no {path}); start it with: labrig up") from None
    except (OSError, ValueError, ValidationError) as error:
        raise ServerGone(f"{path} cannot be read: {error}; start the server anew with: labrig up") from error


def known_rigs(data: Path) -> tuple[str, ...]:
    """Rigs below a data folder whose server has written an endpoint file."""
    found = []
    for path in sorted((data / "servers").glob("*.json")):
        try:
            found.append(str(json.loads(path.read_text(encoding="utf-8"))["rig"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return tuple(found)
