"""Failures that a campaign must survive, over OPC UA."""

from rxnopt.testing.failures import CampaignConformance
from rxnopt.testing.journals import JournalConformance


class TestCampaignOpcUa(CampaignConformance, JournalConformance):
    protocol = "opcua"
