"""How a device is spoken to: one section of a lab file, by ``kind``."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from rxnopt.cards.base import Identifier, Model

_SECRET = re.compile(r"\$\{[A-Z_][A-Z0-9_]*\}")
_FUNCTION = r"^(?:.+\.py|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):[A-Za-z_]\w*$"


def _secret(text: str) -> str:
    if _SECRET.fullmatch(text) is None:
        raise ValueError("a secret does not stand in a file; write ${NAME} and set the environment variable NAME")
    return text


def _address(text: str) -> str:
    if re.match(r"[a-z][a-z0-9+.-]*://[^/@]*:[^/@]*@", text):
        raise ValueError("a password does not stand in an address; give it as a secret, ${NAME}")
    return text


Secret = Annotated[str, AfterValidator(_secret)]
"""The name of an environment variable, written ``${NAME}``: :func:`rxnopt.lab.secrets.secret` reads it."""
Address = Annotated[str, AfterValidator(_address)]
"""Where a server listens, such as ``opc.tcp://127.0.0.1:4840``."""


class FileDrop(Model):
    """A folder: requests are put into it as files, results are taken out of it."""

    kind: Literal["filedrop"]
    folder: str = Field(description="The folder, beside the lab file where it is relative.")
    format: Literal["json", "csv"] = Field("json", description="Of requests and results.")
    manual: bool = Field(
        False, description="A person runs the experiments: nobody acknowledges a request, and no device is there."
    )


class CallableRig(Model):
    """A Python function of yours that runs one experiment: ``run(setting, run_id) -> outputs``."""

    kind: Literal["callable"]
    function: str = Field(pattern=_FUNCTION, description="'my_module:run', or 'rig.py:run' beside the lab file.")


class PythonAdapter(Model):
    """An adapter of yours: a class with the methods of :class:`rxnopt.lab.interface.Adapter`."""

    kind: Literal["python"]
    adapter: str = Field(pattern=_FUNCTION, description="'my_module:Rig' or 'rig.py:Rig'; called with the settings.")
    settings: dict[Identifier, Any] = Field(default_factory=dict, description="Arguments of the class, by name.")


AnyAdapter = Annotated[FileDrop | CallableRig | PythonAdapter, Field(discriminator="kind")]

__all__ = ["Address", "AnyAdapter", "CallableRig", "FileDrop", "PythonAdapter", "Secret"]
