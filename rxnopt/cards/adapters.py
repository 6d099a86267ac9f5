"""How a device is spoken to: one section of a lab file, by ``kind``."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from rxnopt.cards.base import HIDDEN, HOST_PORT, UA_URL, WEB_URL, Identifier, Model
from rxnopt.cards.duration import Duration

_SECRET = re.compile(r"\$\{[A-Z_][A-Z0-9_]*\}")
_FUNCTION = r"^(?:.+\.py|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):[A-Za-z_]\w*$"


def _secret(text: str) -> str:
    if _SECRET.fullmatch(text) is None:
        raise PydanticCustomError(
            HIDDEN, "a secret does not stand in a file; write ${NAME} and set the environment variable NAME"
        )
    return text


def _address(text: str) -> str:
    if re.match(r"[a-z][a-z0-9+.-]*://[^/@]*:[^/@]*@", text):
        raise PydanticCustomError(HIDDEN, "a password does not stand in an address; give it as a secret, ${NAME}")
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


NodeId = Annotated[str, Field(pattern=r"^(?:ns=\d+;)?[isgb]=.+$")]
"""A node of an OPC UA server, such as ``ns=2;s=Reactor.State``."""
StateWord = Literal["idle", "queued", "running", "done", "failed", "cancelled", "absent", "fault", "interlock", "estop"]
STATE_WORDS: dict[str, StateWord] = {
    "IDLE": "idle", "QUEUED": "queued", "RUNNING": "running", "ANALYSING": "running", "DONE": "done",
    "FAILED": "failed", "CANCELLED": "cancelled", "ABSENT": "absent", "FAULT": "fault", "INTERLOCK": "interlock",
    "ESTOP": "estop",
}  # fmt: skip


class UaMethod(Model):
    """A method of an OPC UA server; methods are called by node id."""

    object: NodeId = Field(description="The object that has it.")
    method: NodeId = Field(description="The method itself.")


class UaSecurity(Model):
    """Messages of OPC UA that are signed and encrypted; paths are beside the lab file where they are relative."""

    policy: Literal["Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"] = Field(
        description="One that the server offers."
    )
    mode: Literal["SignAndEncrypt", "Sign"] = Field("SignAndEncrypt", description="Sign: everybody can read along.")
    certificate: str = Field(description="Our certificate, DER or PEM, which the server must trust.")
    key: str = Field(description="Its private key, DER or PEM.")
    key_password: Secret | None = Field(None, description="Password of the key, as ${NAME} of the environment.")
    server_certificate: str = Field(description="Certificate of the server, DER or PEM; no other one is spoken to.")


class OpcUa(Model):
    """A server as that of a controller. Set-points are written and read back, then a method starts the run."""

    kind: Literal["opcua"]
    url: Address = Field(pattern=UA_URL, description="Such as opc.tcp://192.168.0.10:4840.")
    user: str | None = Field(None, description="User name, where the server wants one.")
    password: Secret | None = Field(None, description="Its password, as ${NAME} of the environment.")
    security: UaSecurity | None = Field(None, description="Signed and encrypted messages.")
    setpoints: dict[Identifier, NodeId] = Field(min_length=1, description="Node of each parameter, written before.")
    outputs: dict[Identifier, NodeId] = Field(min_length=1, description="Node of each output.")
    achieved: dict[Identifier, NodeId] = Field(default_factory=dict, description="What was really set, by parameter.")
    readings: dict[Identifier, NodeId] = Field(default_factory=dict, description="Sensors that are watched.")
    state: NodeId = Field(description="State of the rig.")
    states: dict[str, StateWord] = Field(
        default_factory=lambda: dict(STATE_WORDS), description="What each value of the state means."
    )
    run_id: NodeId = Field(description="The run that the rig works on or has ended last.")
    result_run_id: NodeId = Field(description="The run to which the outputs belong; others are not believed.")
    failure: NodeId | None = Field(None, description="'machine', 'chemistry' or empty.")
    message: NodeId | None = Field(None, description="What the rig says of the run.")
    progress: NodeId | None = Field(None, description="Of the run, 0 to 1.")
    start: UaMethod = Field(description="Starts the run; its argument is our run id. First output False: refused.")
    safe_state: UaMethod = Field(description="Heating off, pumps off.")
    abort: UaMethod | None = Field(None, description="Ends the run.")
    lookup: UaMethod | None = Field(
        None, description="Tells the state of a run id; without it, only the run at 'run_id' can be found again."
    )

    @model_validator(mode="after")
    def _password_in_the_clear(self) -> OpcUa:
        if self.password is not None and (self.security is None or self.security.mode != "SignAndEncrypt"):
            raise ValueError("the password would be sent in the clear; give 'security' with mode SignAndEncrypt")
        if (self.user is None) != (self.password is None):
            raise ValueError("a user name and a password belong together; give both or neither")
        return self


class Sila(Model):
    """A SiLA 2 server. A command starts the run with our run id among its parameters; another one gives the result."""

    kind: Literal["sila"]
    address: str = Field(pattern=HOST_PORT, description="Host and port, such as 192.168.0.10:50052.")
    tls: bool = Field(True, description="Encrypted, as the standard wants it.")
    certificate: str | None = Field(None, description="PEM file of the authority that signed the server's certificate.")
    feature: str = Field(description="Identifier of the feature; fully qualified where it is not unique.")
    start: str = Field(description="Command that starts the run.")
    run_id: str = Field("RunId", description="Parameter of the commands that is our run id.")
    parameters: dict[Identifier, str] = Field(min_length=1, description="Parameter of the start for each of ours.")
    result: str = Field(description="Command that returns the result of a run id.")
    result_run_id: str = Field("ResultRunId", description="Response that says whose result it is.")
    outputs: dict[Identifier, str] = Field(min_length=1, description="Response for each output.")
    achieved: dict[Identifier, str] = Field(default_factory=dict, description="Response for what was really set.")
    failure: str | None = Field("Failure", description="Response: 'machine', 'chemistry' or empty.")
    message: str | None = Field("Message", description="Response: what the device says of the run.")
    quality: str | None = Field("Quality", description="Response: 'good', 'uncertain' or 'bad'.")
    state: str = Field("State", description="Property: state of the device.")
    states: dict[str, StateWord] = Field(
        default_factory=lambda: dict(STATE_WORDS), description="What each value of the state means."
    )
    shown_run_id: str | None = Field("RunId", description="Property: the run that it works on or has ended last.")
    boot_id: str | None = Field(None, description="Property that changes whenever the device may have forgotten runs.")
    lookup: str | None = Field(None, description="Command that tells the state of a run id, in its first response.")
    abort: str | None = Field(None, description="Command that ends the run; closing streams does not.")
    safe_state: str = Field(description="Command: heating off, pumps off.")
    refusals: tuple[str, ...] = Field(
        (), strict=False, description="Defined execution errors of the start that say that nothing was started."
    )
    interlocks: tuple[str, ...] = Field(
        (), strict=False, description="Those that say so, and that an interlock is open."
    )


PLACE = re.compile(r"\{(\w+)\}")
"""The value of a parameter in an argument, such as {flow}."""
Route = Annotated[str, Field(pattern=r"^/\S*$")]
"""A path of a REST interface, such as ``/r4-heater/reactor1/temperature``."""


class RestCommand(Model):
    """A PUT request."""

    put: Route = Field(description="Path.")
    arguments: dict[str, str] = Field(
        default_factory=dict,
        description="Query arguments, such as {rate: 1 ml/min}; of 'start', {flow} in them is that parameter's value.",
    )


class RestSetpoint(Model):
    """Where a parameter is set, always with its unit, and where it is read back."""

    put: Route | None = Field(None, description="Path that sets it; left out where a command of 'start' does.")
    argument: str = Field("value", description="Name of the query argument.")
    get: Route | None = Field(None, description="Path that repeats the set-point, where the device does.")
    read: Route | None = Field(None, description="Path of the sensor, for what is achieved.")


class Flowchem(Model):
    """Devices behind flowchem. It knows no runs: our adapter sets, reads back, starts, waits, analyses and stops."""

    kind: Literal["flowchem"]
    url: Address = Field(pattern=WEB_URL, description="Such as http://127.0.0.1:8000.")
    token: Secret | None = Field(None, description="Sent as 'Authorization: Bearer', as ${NAME} of the environment.")
    certificate: str | None = Field(None, description="PEM file of the authority that signed the server's certificate.")
    setpoints: dict[Identifier, RestSetpoint] = Field(min_length=1, description="Where each parameter is set.")
    start: tuple[RestCommand, ...] = Field(min_length=1, strict=False, description="What starts the flow, in order.")
    stop: tuple[RestCommand, ...] = Field(min_length=1, strict=False, description="Safe state: heater and pumps off.")
    ready: Route | None = Field(None, description="Says true when all targets are reached.")
    steady: Duration = Field(description="How long it flows then, until a sample is worth taking.")
    analyse: RestCommand | None = Field(
        None, description="Takes a sample and answers with its number, -1: none was taken; left out: 'result' is live."
    )
    busy: Route | None = Field(None, description="Says true while the sample is analysed.")
    result: Route = Field(description="Says the values of the last sample by name, or one value, named 'result'.")
    sample: str | None = Field(None, description="Name under which the result repeats the number of the sample.")
    quality: str | None = Field(None, description="Name under which it says good, uncertain or bad.")
    outputs: dict[Identifier, str] = Field(min_length=1, description="Name of each output in the result.")
    pumping: Route | None = Field(None, description="Says true while something flows.")
    alarm: Route | None = Field(None, description="Says 'interlock' or 'estop', or nothing.")

    @model_validator(mode="after")
    def _token_in_the_clear(self) -> Flowchem:
        here = re.match(r"http://(127\.0\.0\.1|localhost)[:/]", f"{self.url}/")
        if self.token is not None and not self.url.startswith("https://") and here is None:
            raise ValueError("the token would be sent in the clear; give an address with https")
        return self

    @model_validator(mode="after")
    def _each_is_set(self) -> Flowchem:
        named = {name for each in self.start for text in each.arguments.values() for name in PLACE.findall(text)}
        for name in sorted(named - set(self.setpoints)):
            raise ValueError(f"'start' takes {{{name}}}, which is no set-point; correct one of them")
        for name in sorted({name for name, point in self.setpoints.items() if point.put is None} - named):
            raise ValueError(f"nothing sets {name}; give its 'put', or an argument of 'start' with {{{name}}}")
        return self


AnyAdapter = Annotated[FileDrop | CallableRig | PythonAdapter | OpcUa | Sila | Flowchem, Field(discriminator="kind")]

__all__ = [
    "Address", "AnyAdapter", "CallableRig", "FileDrop", "Flowchem", "OpcUa", "PythonAdapter", "RestCommand",
    "RestSetpoint", "Secret", "Sila", "UaMethod", "UaSecurity",
]  # fmt: skip
