"""The OPC UA adapter against its twin."""

from rxnopt.testing.twins import TwinConformance


class TestOpcUa(TwinConformance):
    protocol = "opcua"
