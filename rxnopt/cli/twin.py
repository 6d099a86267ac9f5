"""The command of digital twins: twin."""

from __future__ import annotations

import asyncio
import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rxnopt.cli.frame import Seed, check_folder, check_out, command

if TYPE_CHECKING:
    from rxnopt.twin.serving import Serving


class Skin(StrEnum):
    """Protocols of twins."""

    opcua = "opcua"
    sila = "sila"
    http = "http"
    filedrop = "filedrop"


@command("twin", epilog="`rxnopt twin opcua --reaction snar --speed 600 --lab twin.yaml`")
def twin(
    protocol: Annotated[Skin, typer.Argument(help="What the twin speaks.")],
    reaction: Annotated[str, typer.Option("--reaction", help="Name or path of the reaction in its reactor.")] = "snar",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="On 127.0.0.1; 0 chooses a free one.")] = 0,
    seed: Seed = 0,
    speed: Annotated[float, typer.Option("--speed", min=0.001, help="How many times as fast as the clock.")] = 1.0,
    faults: Annotated[Path | None, typer.Option("--faults", help="YAML file: dynamics and faults.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where its physical journal and its memory of runs are kept.")
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Come up without that memory.")] = False,
    positions: Annotated[int, typer.Option("--positions", min=1, help="Experiments at once (filedrop only).")] = 1,
    lab: Annotated[Path | None, typer.Option("--lab", help="Write the lab file of this twin here.")] = None,
) -> None:
    """Run a digital twin of a rig until Ctrl-C: a reactor with dynamics and faults behind a real protocol.

    Prints one line of JSON when it is ready: address, process, folder, lab file. `kill -USR1` of that process is the
    button that resets interlock and emergency stop.
    """
    from rxnopt.twin.serving import Serving

    check_folder(folder)
    check_out(lab)
    serving = Serving(
        protocol.value, reaction, faults, port=port, seed=seed, speed=speed, folder=folder, forget=forget,
        positions=positions,
    )  # fmt: skip
    asyncio.run(_serve(serving, lab))


async def _serve(serving: Serving, lab: Path | None) -> None:
    async with serving.desk as desk:
        if lab is not None:
            lab.write_text(serving.lab_file(), encoding="utf-8")
        desk.button()
        typer.echo(json.dumps(serving.said() | {"lab": None if lab is None else str(lab)}))
        await desk.wait()
