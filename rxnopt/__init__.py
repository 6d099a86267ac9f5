"""Learning to run chemical reactions: Gymnasium environments, agents and honest comparisons."""
